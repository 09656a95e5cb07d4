# Makes a C file of text files: cmake -DOUTPUT=templates.c -DFILES=a.html,b.css -P embed.cmake
# a.html becomes  const char report_a_html[]
string(REPLACE "," ";" FILES "${FILES}")
set(code "/* Made by embed.cmake. */\n#include \"optimizer/report/page.h\"\n")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  string(REPLACE "." "_" name ${name})
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND code "\nconst char report_${name}[] = {${bytes}'\\0'};\n")
endforeach()
file(WRITE ${OUTPUT} "${code}")
