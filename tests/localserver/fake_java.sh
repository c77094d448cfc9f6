#!/bin/sh
# Stands in for Java where the real one would not misbehave on demand. FAKE_JAVA says how it behaves.
# A shell script, because it is started dozens of times. What serves HTTP is fake_server.py.
case " $* " in
*" -version "*)
    echo 'openjdk version "@VERSION@"' >&2
    ;;
*" -Djarmode=tools "*)
    if [ "$FAKE_JAVA" = cannot-unpack ]; then
        echo "Invalid or corrupt jarfile" >&2
        exit 1
    fi
    mkdir "$6" && cp "$3" "$6/"
    ;;
*" -Xshare:dump "*)
    if [ "$FAKE_JAVA" = knows-no-class-data ]; then
        echo "Unrecognized option: -Xshare:dump" >&2
        exit 1
    fi
    for argument in "$@"; do
        case $argument in -XX:SharedArchiveFile=*) printf jdk >"${argument#*=}" ;; esac
    done
    ;;
*)
    exec "@PYTHON@" -I -S "@SERVER@" "$@"
    ;;
esac
