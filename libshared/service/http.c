/* http.c - one POST by libcurl; see http.h. */
#include "service/http.h"

#include "base/scope.h"

#include <curl/curl.h>
#include <string.h>

int http_open(struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        return err_set(err, ERR_UNSUPPORTED, "libcurl cannot start");
    return 0;
}

bool http_is_url(const char *url)
{
    return !strncmp(url, "http://", 7) || !strncmp(url, "https://", 8);
}

static size_t drop(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static void easy_close(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void headers_close(struct curl_slist **headers)
{
    curl_slist_free_all(*headers);
}

static int add_headers(const char *const *from, struct curl_slist **to, struct err *err)
{
    for (; *from; from++) {
        struct curl_slist *longer = curl_slist_append(*to, *from);
        if (!longer)
            return err_set(err, ERR_MEMORY, "no memory for a header");
        *to = longer;
    }
    return 0;
}

static CURLcode set_up(CURL *curl, const struct http_post *post, struct curl_slist *headers)
{
    CURLcode code = CURLE_OK;
#define SET(option, value) code = code ? code : curl_easy_setopt(curl, option, value)
    SET(CURLOPT_URL, post->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
    SET(CURLOPT_POSTFIELDS, (const char *)post->body.data);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_USERAGENT, "corral/" CORRAL_VERSION);
    SET(CURLOPT_WRITEFUNCTION, drop);
#undef SET
    return code;
}

int http_post(const struct http_post *post, long *status, struct err *err)
{
    SCOPED(easy_close) CURL *curl = curl_easy_init();
    SCOPED(headers_close) struct curl_slist *headers = NULL;
    if (!curl)
        return err_set(err, ERR_MEMORY, "no memory for a request");
    if (add_headers(post->headers, &headers, err))
        return -1;
    CURLcode code = set_up(curl, post, headers);
    code = code ? code : curl_easy_perform(curl);
    code = code ? code : curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
    if (code)
        return err_set(err, ERR_UNAVAILABLE, "%.120s: %.100s", post->url, curl_easy_strerror(code));
    return 0;
}
