# The commands of the README, for the script that ReadmeIT makes of its blocks. Maven, java and Camel's CLI are the real
# ones, on the embedded services. Of Docker and a cluster, what can be told without them is checked: that the command has
# such options, and that whatever it names is there. What stands in capitals is set by the README or by ReadmeIT.
set -Eeuo pipefail
shopt -s lastpipe
PATH=/nowhere
made=()
trap 'echo "README.md: failed: $BASH_COMMAND" >&2' ERR

fail() { echo "README.md: $*" >&2; exit 1; }
unknown() { fail "a command that readme-commands.sh does not know: $*"; }
command_not_found_handle() { unknown "$@"; }
exist() { for file; do test -s "$file" || test -d "$file" || fail "there is no $file"; done; }
is_made() { [[ " ${made[*]} " == *" $1 "* ]] || fail "no command above makes $1"; }

# Runs a command until it has said that, then ends it. Not by SIGINT, which is not heard where a parent ignores it.
run_until() {
  local said=$1 log
  shift
  log=$(mktemp)
  "$@" > "$log" 2>&1 &
  until grep -qE "$said" "$log"; do
    kill -0 $! || { cat "$log"; fail "it has ended and not said '$said': $*"; }
    sleep 0.5
  done
  kill $!
  wait $! || true
  cat "$log"
  rm "$log"
}

stores() {
  : "$STREAM_NAME" "$DATALAKE_URL" "$KAFKA_BROKERS" # set, and valid: java and ReadmeIT have seen to that
  run_until 'records stored in' env DATALAKE_URL="$EMBEDDED_URL" KAFKA_BROKERS="$EMBEDDED_BROKERS" \
    JAVA_TOOL_OPTIONS="$JAVA_TOOL_OPTIONS -Dcamel.management.port=$MANAGEMENT_PORT" "$@"
}

sed() { PATH=$REAL_PATH command sed "$@"; }

mvn() {
  local PATH=$REAL_PATH
  set -- -B -q $OFFLINE "-Dmaven.repo.local=$REPOSITORY" "$@"
  case "${*: -2}" in
    *" -Plocal") run_until '^stored [1-9]' env mvn "$@" ;;
    "-Plocal -Dlocal.records="* | "package -DskipTests") command mvn "$@" ;;
    "-Pimage -DskipTests") command mvn "$@" -Dimage.base=scratch -Dcyclonedx.skip ;;
    *" verify") ;; # which this is a part of
    *" -Pbench") ;; # BenchIT runs some of it
    *=*" package") ;; # of what `camel export` makes
    *) unknown mvn "$@" ;;
  esac
}

java() {
  local PATH=$REAL_PATH
  [[ $* == "-jar target/s3-destination.jar" ]] || unknown java "$@"
  if DATALAKE_URL=${DATALAKE_URL%/*} command java "$@"; then fail "it starts without a bucket"; fi
  stores java "$@"
}

camel() {
  local PATH=$REAL_PATH
  case "$1" in
    run) stores "$CAMEL" "$@" ;;
    export) ;; # CamelExportIT runs it, and builds what it makes
    *) unknown camel "$@" ;;
  esac
}

docker() {
  local PATH=$REAL_PATH
  case "$*" in
    "load --input "*)
      [[ $(tar -xOf "$3" manifest.json) == *'"s3-destination:latest"'* ]]
      made+=(image:s3-destination) ;;
    "run "*)
      shift
      for ((; $# > 1; )); do
        case "$1" in
          --env) [[ -n ${!2-} ]] || fail "no command above sets $2" ;;
          --publish) [[ $2 == 9876:9876 ]] ;;
          *) unknown docker run "$@" ;;
        esac
        shift 2
      done
      is_made "image:$1" ;;
    *) unknown docker "$@" ;;
  esac
}

kubectl() {
  local PATH=$REAL_PATH file
  case "$*" in
    "create secret generic "*" --from-file="*"=/dev/stdin")
      [[ $# == 5 && $(cat) == "$DATALAKE_URL" ]]
      made+=("secret:$4") ;;
    "create configmap "*)
      for file in "${@:4}"; do
        [[ $file == --from-file=* ]] || unknown kubectl "$@"
        exist "${file#*=}"
      done
      made+=("configmap:$3") ;;
    "apply -k "*)
      exist "$3/kustomization.yaml"
      command sed -nE 's/^ *- (.+\.(yaml|properties))$/\1/p' "$3/kustomization.yaml" | while read -r file; do
        exist "$3/$file"
      done ;;
    "apply -f "*)
      shift
      for ((; $# > 0; )); do
        [[ $1 == -f ]] || unknown kubectl apply "$@"
        exist "$2"
        shift 2
      done ;;
    *) unknown kubectl "$@" ;;
  esac
}

kamel() {
  [[ $1 == run ]] || unknown kamel "$@"
  shift
  for ((; $# > 0; )); do
    case "$1" in
      --config) is_made "$2" ;;
      --name | --dependency) [[ $2 != -* ]] ;;
      --env | --trait) [[ $2 == *=* ]] ;;
      -*) unknown kamel run "$@" ;;
      *)
        exist "$1"
        shift
        continue ;;
    esac
    shift 2
  done
}
