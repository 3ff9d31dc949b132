# `cmake --install`: the libraries, the public headers, and what find_package(annals) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/annals)

install(TARGETS annals_persistence annals_actors annals_runtime annals_caf_bridge annals_umbrella
    EXPORT annals_targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
foreach(room persistence actors runtime)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/include/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
endforeach()

install(EXPORT annals_targets
    FILE annalsTargets.cmake
    NAMESPACE annals::
    DESTINATION ${package_dir})
configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/annalsConfig.cmake.in
    ${PROJECT_BINARY_DIR}/annalsConfig.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/annalsConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/annalsConfig.cmake
    ${PROJECT_BINARY_DIR}/annalsConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindISAL.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindLMDB.cmake
    ${PROJECT_SOURCE_DIR}/cmake/FindxxHash.cmake
    DESTINATION ${package_dir})
