/* rows_undef.h - forgets how rows are read, so that the next reader can say it anew. */
#undef MESSAGE
#undef TEXT
#undef CHOICE
#undef LONG
#undef BLOB
#undef INT
#undef REAL
#undef BOOL
#undef RECORD
#undef TEXTS
#undef RECORDS
#undef SINCE
#undef END
