/* key_tests.h - the tests that keys.def names, one small function each; see key_test. */
#pragma once

#include "engine/policy/key.h"

key_test test_command, test_context_any, test_context_all, test_trouble, test_in_script, test_swept,
    test_endless, test_varies, test_depth, test_redirects, test_operands_min, test_operands_max,
    test_args_unknown, test_first_operand, test_flags_any, test_flags_all, test_flags_unknown,
    test_option_values, test_operands_any, test_args_any, test_args_all, test_env, test_env_regex,
    test_wrappers;                                     /* key_words.c */
key_test test_sets_id, test_world_writable, test_size; /* key_modes.c */
key_test test_hosts_any, test_hosts_outside, test_hosts_unknown, test_schemes, test_ports,
    test_listens; /* key_hosts.c */
key_test test_recursive, test_program_path, test_paths, test_paths_unknown, test_feeds,
    test_feeds_unknown; /* key_paths.c */
key_test test_code_language, test_code_any, test_code_regex, test_args_regex,
    test_raw_regex; /* key_code.c */

/* True when one of the key's regular expressions matches; what that costs is counted. */
bool test_regexes(const struct subject *s, const struct rule_key *key, struct view text);
