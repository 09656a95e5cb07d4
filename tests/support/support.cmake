# Script tests. Each is a bash script that sources tests/support/support.sh; exit code 77 skips.
find_program(IOA_BASH bash REQUIRED)

# ioa_script_test(NAME SCRIPT [LABELS l...] [TIMEOUT seconds] [PROCESSORS n] [ENVIRONMENT VAR=value...] [ARGS a...])
# SCRIPT is relative to the current folder. PROCESSORS: how many of `ctest -j` the test occupies (default 1).
function(ioa_script_test name script)
  cmake_parse_arguments(T "" "TIMEOUT;PROCESSORS" "LABELS;ENVIRONMENT;ARGS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(NOT T_PROCESSORS)
    set(T_PROCESSORS 1)
  endif()
  set(environment IOA_SOURCE=${PROJECT_SOURCE_DIR} IOA_BINARY=${PROJECT_BINARY_DIR} IOA_SUPPORT=${PROJECT_SOURCE_DIR}/tests/support
                  IOA_CMAKE=${CMAKE_COMMAND} IOA_CC=${CMAKE_C_COMPILER} IOA_LIBRARY=$<TARGET_FILE:ioanneal> "IOA_SANITIZE=${IOA_SANITIZE}")
  if(TARGET ioanneal_program)
    list(APPEND environment IOA_PROGRAM=$<TARGET_FILE:ioanneal_program> MPIEXEC=${MPIEXEC_EXECUTABLE}
                            MPIEXEC_NUMPROC_FLAG=${MPIEXEC_NUMPROC_FLAG})
  endif()
  add_test(NAME ${name} COMMAND ${IOA_BASH} ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${T_ARGS})
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" TIMEOUT ${T_TIMEOUT} PROCESSORS ${T_PROCESSORS}
                       SKIP_RETURN_CODE 77 ENVIRONMENT "${environment};${T_ENVIRONMENT}")
endfunction()

# ioa_mpi_test(NAME SCRIPT ...): a script test that launches ranks, more of them than processors. They are short-lived, and
# spend most of their time being started and waiting for each other: the test keeps less than one processor busy. It is among
# the long ones, which are started first.
function(ioa_mpi_test name script)
  cmake_parse_arguments(T "" "" "LABELS" ${ARGN})
  ioa_script_test(${name} ${script} LABELS mpi ${T_LABELS} ${T_UNPARSED_ARGUMENTS})
  set_tests_properties(${name} PROPERTIES COST 100)
endfunction()
