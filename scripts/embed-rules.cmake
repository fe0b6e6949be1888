# Writes a C file with the rule files in it: cmake -DROOT=config -DFILES="a;b" -DTO=x.c -P embed-rules.cmake
# FILES are relative to ROOT. A text becomes an array of bytes, so that none of its characters means anything to C.
set(arrays "")
set(rows "")
set(number 0)
string(REPLACE "|" ";" FILES "${FILES}")
foreach(name ${FILES})
    file(READ ${ROOT}/${name} hex HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const unsigned char text_${number}[] = {${bytes}0};\n")
    string(APPEND rows "    {\"${name}\", (const char *)text_${number}, sizeof text_${number} - 1},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${TO} "#include \"engine/policy/builtin.h\"\n\n${arrays}\nstatic const struct builtin_file files[] = {\n${rows}};
\nconst struct builtin_file *builtin_files(size_t *count)\n{\n    *count = sizeof files / sizeof files[0];\n    return files;\n}\n")
