# What a deployment gets: libioanneal, its public headers, manual and example, a CMake package and a pkg-config file. No MPI.
include(CMakePackageConfigHelpers)

add_library(ioanneal::ioanneal ALIAS ioanneal)
target_include_directories(ioanneal INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/core/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/io/include>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS ioanneal EXPORT ioannealTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/ioanneal ${PROJECT_SOURCE_DIR}/io/include/ioanneal
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

install(FILES ${CMAKE_CURRENT_LIST_DIR}/examples/deploy.c DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/man/libioanneal.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)

set(ioa_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ioanneal)
install(EXPORT ioannealTargets NAMESPACE ioanneal:: DESTINATION ${ioa_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/package/ioannealConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/ioannealConfig.cmake INSTALL_DESTINATION ${ioa_package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/ioannealConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ioannealConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/ioannealConfigVersion.cmake
  DESTINATION ${ioa_package_dir})

# Folders relative to the .pc file, so that an installed tree can be moved; absolute ones if asked for so.
set(ioa_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(ioa_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
file(RELATIVE_PATH ioa_pc_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
set(ioa_pc_prefix "\${pcfiledir}/${ioa_pc_prefix}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(ioa_pc_prefix "${CMAKE_INSTALL_PREFIX}")
  set(ioa_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(ioa_pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/package/ioanneal.pc.in ${CMAKE_CURRENT_BINARY_DIR}/ioanneal.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ioanneal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
