# Keeps three PostgreSQL servers under Patroni, and the etcd that it asks, for a test process, as the
# account that owns their files.
#
# Orders come on standard input, one a line, and each is answered with one line: "done", or what
# went wrong. When the input ends, because the test is through or because its process died,
# everything is ended and the directory removed.

patroni=$1
etcd=$2
directory=$3
exec 2>>"$directory/log"
# Answering a process that has died must not end this one before it has cleaned up.
trap '' HUP PIPE

. "$directory/ports"
"$etcd" --data-dir "$directory/etcd" --name test \
    --listen-client-urls "http://127.0.0.1:$etcd_client" \
    --advertise-client-urls "http://127.0.0.1:$etcd_client" \
    --listen-peer-urls "http://127.0.0.1:$etcd_peer" \
    --initial-advertise-peer-urls "http://127.0.0.1:$etcd_peer" \
    --initial-cluster "test=http://127.0.0.1:$etcd_peer" \
    </dev/null >>"$directory/log" 2>&1 &
etcd_pid=$!

start() {
    "$patroni" "$directory/node$1.yml" </dev/null >>"$directory/node$1.log" 2>&1 &
    eval "patroni_$1=$!"
}

# The processes of a postmaster, itself first.
family() {
    postmaster=$(sed -n 1p "$directory/data$1/postmaster.pid") || return 0
    [ -n "$postmaster" ] || return 0
    echo "$postmaster"
    for stat in /proc/[0-9]*/stat; do
        { IFS= read -r line <"$stat"; } 2>/dev/null || continue
        set -- ${line##*) }
        [ "$2" = "$postmaster" ] || continue
        stat=${stat#/proc/}
        echo "${stat%/stat}"
    done
}

# Ends everything of a node at once, as the end of its machine would.
slay() {
    eval "pid=\$patroni_$1"
    [ -z "$pid" ] || kill -KILL "$pid"
    eval "patroni_$1="
    set -- "$1" $(family "$1")
    shift
    [ $# -eq 0 ] || kill -KILL "$@"
}

for node in 0 1 2; do start "$node"; done
echo "done"

while read -r order node; do
    case $order in
    start) start "$node" ;;
    kill) slay "$node" ;;
    esac
    echo "done"
done

for node in 0 1 2; do slay "$node"; done
kill -KILL "$etcd_pid"
wait
rm -rf "$directory"
