# Debian packages, a package a component: `cpack` in a build's folder, or tools/package.
set(debian ${CMAKE_CURRENT_SOURCE_DIR}/debian)

# What every Debian package has; CHANGELOG.md is what users read.
configure_file(${debian}/changelog.in changelog.Debian @ONLY)
foreach(file changelog.Debian ${PROJECT_SOURCE_DIR}/CHANGELOG.md)
    get_filename_component(name ${file} NAME)
    string(REPLACE "CHANGELOG.md" "changelog" name ${name})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    execute_process(COMMAND gzip -9nc ${file} WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} OUTPUT_FILE ${CMAKE_CURRENT_BINARY_DIR}/${name}.gz COMMAND_ERROR_IS_FATAL ANY)
endforeach()
set(packages development librollcall-dev)
if(TARGET rollcall)
    list(APPEND packages command rollcall)
endif()
if(TARGET rollcall_c)
    list(APPEND packages library librollcall0)
endif()
if(TARGET rollcall_python)
    list(APPEND packages python python3-rollcall)
endif()
while(packages)
    list(POP_FRONT packages component package)
    list(APPEND components ${component})
    install(FILES ${debian}/copyright ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
    string(TOUPPER ${component} COMPONENT)
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package})
endwhile()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
# Whatever prefix the build has: nothing that is compiled knows it, and what is filled in is filled in when it is installed.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_VENDOR rollcall)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT "rollcall developers <rollcall@example.org>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS passwd)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SUGGESTS "systemd, bash-completion")
set(CPACK_DEBIAN_COMMAND_PACKAGE_CONTROL_EXTRA "${debian}/postinst;${debian}/prerm;${debian}/postrm")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION "tells every process on a host who is alive
The command rollcall: the engine, as a service or by hand, programs as
members, and everything that looks at them. A crash is known in a
millisecond, a heartbeat is one atomic instruction, and nobody is declared
dead because the observer itself was asleep.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")  # its ABI only grows
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "tells every process on a host who is alive - shared library
For programs in C and other languages that join or look at a membership.")

if(TARGET rollcall_python)
    math(EXPR next_python "${ROLLCALL_PYTHON_MINOR} + 1")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
    set(CPACK_DEBIAN_PYTHON_PACKAGE_SHLIBDEPS ON)
    set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/engine/c)  # where librollcall.so.0 is; no installed package has it yet
    set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS "librollcall0 (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}), python3 (>= 3.${ROLLCALL_PYTHON_MINOR}), python3 (<< 3.${next_python})")
    set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA "${debian}/python3/postinst;${debian}/python3/prerm")
    set(CPACK_COMPONENT_PYTHON_DESCRIPTION "tells every process on a host who is alive - Python 3
Members, observers and views for programs in Python.")
endif()

# What the installed headers, CMake configuration and pkg-config file ask for.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libexpected-dev, libsodium-dev, pkgconf | pkg-config")
if(ROLLCALL_HIGHWAY_FLAG)
    string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libhwy-dev")
endif()
if(TARGET rollcall_nats)
    string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libnats-dev")
endif()
if(TARGET rollcall_c)
    string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", librollcall0 (= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "tells every process on a host who is alive - development files
Headers and static libraries for programs in C++ that join or look at a
membership, or embed an engine.")
include(CPack)
