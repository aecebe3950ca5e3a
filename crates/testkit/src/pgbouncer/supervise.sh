# Keeps one PgBouncer for a test process, as the account that owns its files.
#
# Prints "done" when it listens, or what went wrong; the order "reload" has it read its configuration
# again. When the input ends, because the test is
# through or because its process died, PgBouncer is ended and its directory removed.

program=$1
directory=$2
exec 2>>"$directory/log"
# Answering a process that has died must not end this one before it has cleaned up.
trap '' HUP PIPE

"$program" "$directory/pgbouncer.ini" </dev/null >>"$directory/log" 2>&1 &
pid=$!

tries=0
until grep -q 'process up' "$directory/log"; do
    tries=$((tries + 1))
    if ! kill -0 "$pid" || [ "$tries" -gt 500 ]; then
        pid=
        break
    fi
    sleep 0.02
done
[ -n "$pid" ] && echo "done" || echo "it did not start"

while read -r order; do
    # Its configuration was written anew.
    [ "$order" = reload ] && [ -n "$pid" ] && kill -HUP "$pid"
    echo "done"
done

[ -z "$pid" ] || kill -KILL "$pid"
wait
rm -rf "$directory"
