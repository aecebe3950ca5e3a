# Keeps one PostgreSQL server for a test process, as the account that owns its files.
#
# Orders come on standard input, one a line, and each is answered with one line: "done", or what
# went wrong. When the input ends, because the test is through or because its process died, the
# server is stopped and its directory removed.

programs=$1
directory=$2
data=$directory/data
pid=
exec 2>>"$directory/server.log"
# Answering a process that has died must not end this one before it has cleaned up.
trap '' HUP PIPE

# The letter of a process's state: T stopped, Z dead and not yet buried, nothing for none.
state() {
    if [ -d /proc/self ]; then
        { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
        line=${line##*) }
    else
        line=$(ps -o stat= -p "$1")
    fi
    printf '%.1s' "$line"
}

children() {
    if [ -d /proc/self ]; then
        for stat in /proc/[0-9]*/stat; do
            { IFS= read -r line <"$stat"; } 2>/dev/null || continue
            set -- ${line##*) }
            [ "$2" = "$pid" ] || continue
            stat=${stat#/proc/}
            echo "${stat%/stat}"
        done
    else
        ps -axo pid=,ppid= | while read -r child parent; do
            [ "$parent" = "$pid" ] && echo "$child"
        done
    fi
}

# Waits until every process given is in one of the states given, for ten seconds at most.
await() {
    wanted=$1
    shift
    for each; do
        tries=0
        until case $(state "$each") in $wanted) true ;; ?) false ;; *) true ;; esac; do
            tries=$((tries + 1))
            [ "$tries" -lt 500 ] || return 1
            sleep 0.02
        done
    done
}

alive() {
    case $(state "$pid") in '' | Z) return 1 ;; esac
}

bury() {
    wait "$pid"
    pid=
}

start() {
    [ -z "$pid" ] || { echo "it is running already"; return; }
    "$programs/postgres" -D "$data" </dev/null >>"$directory/server.log" 2>&1 &
    pid=$!
    tries=0
    while alive && [ "$tries" -lt 1200 ]; do
        # The first line is the process, the eighth its state; a file that an earlier server
        # left behind has another process in it.
        if [ "$(sed -n 1p "$data/postmaster.pid" 2>/dev/null)" = "$pid" ]; then
            case $(sed -n 8p "$data/postmaster.pid") in ready*) echo "done"; return ;; esac
        fi
        tries=$((tries + 1))
        sleep 0.05
    done
    if alive; then
        echo "it was not ready after a minute"
    else
        bury
        echo "it exited"
    fi
}

thaw() {
    kill -CONT $(children) "$pid"
}

slay() {
    # The postmaster first, stopped, so that it starts nobody while its children are counted.
    kill -STOP "$pid"
    await T "$pid"
    set -- $(children)
    kill -KILL "$@" "$pid"
    await Z "$@" "$pid"
    bury
}

stop() {
    [ -n "$pid" ] || return 0
    thaw
    kill -"$1" "$pid"
    await Z "$pid" || { slay; return 1; }
    bury
}

freeze() {
    kill -STOP "$pid"
    await T "$pid"
    set -- $(children)
    [ $# -eq 0 ] || kill -STOP "$@"
    await '[TZ]' "$@"
}

while read -r order argument; do
    case $order in
    init)
        "$programs/initdb" --pgdata="$data" --username="$argument" \
            --pwfile="$directory/password" --auth=scram-sha-256 --encoding=UTF8 \
            --locale=C.UTF-8 --no-sync >>"$directory/server.log" </dev/null ||
            { rm -rf "$data"
              "$programs/initdb" --pgdata="$data" --username="$argument" \
                --pwfile="$directory/password" --auth=scram-sha-256 --encoding=UTF8 \
                --locale=C --no-sync >>"$directory/server.log" </dev/null; }
        outcome=$?
        rm -f "$directory/password"
        [ "$outcome" = 0 ] && echo "done" || echo "exit status $outcome"
        ;;
    copy)
        # The files of a running server; its log of changes is streamed from there.
        if cp -R "$argument/data" "$data" && cp "$argument"/*.pem "$argument"/*.key "$directory" &&
            mkdir "$directory/socket" && rm -rf "$data/postmaster.pid" "$data"/pg_wal/* &&
            mkdir -p "$data/pg_wal/archive_status" && chmod 700 "$data"; then
            echo "done"
        else
            echo "the files could not be copied"
        fi
        ;;
    rewind)
        # Takes back what another server, which was promoted, does not have.
        set -- $argument
        if PGPASSWORD=$4 "$programs/pg_rewind" --target-pgdata="$data" --no-sync \
            --source-server="host=$1 port=$2 user=$3 dbname=postgres" \
            >>"$directory/server.log" 2>&1 </dev/null; then
            echo "done"
        else
            echo "exit status of pg_rewind"
        fi
        ;;
    start) start ;;
    programs) programs=$argument && echo "done" ;;
    quit) stop QUIT && echo "done" || echo "it did not stop in ten seconds" ;;
    stop) stop INT && echo "done" || echo "it did not stop in ten seconds" ;;
    *)
        if [ -z "$pid" ]; then
            echo "it is not running"
            continue
        fi
        case $order in
        kill) slay ;;
        pause) freeze ;;
        resume) thaw ;;
        esac
        echo "done"
        ;;
    esac
done

stop QUIT
# A server that was killed leaves a segment of shared memory, named in the seventh line.
set -- $(sed -n 7p "$data/postmaster.pid" 2>/dev/null)
[ -z "$2" ] || ipcrm -m "$2" 2>/dev/null
rm -rf "$directory"
