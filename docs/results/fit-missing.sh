# Sourced by scripts that have a function fewstep: fits, of a list of numbers of steps, those that a folder has no sampler of yet, on the
# loss curve that it has. The folder's page shows what was fitted last.
#   fit_missing FOLDER NUMBERS [options of fit]
fit_missing() {
    local folder=$1 n missing=() curve=()
    for n in ${2//,/ }; do [ -e "$folder/n$n.sampler.json" ] || missing+=("$n"); done
    [ ! -e "$folder/loss-curve.json" ] || curve=(--curve "$folder/loss-curve.json")
    [ ${#missing[@]} = 0 ] || fewstep fit "${@:3}" "${curve[@]}" --steps "$(IFS=,; echo "${missing[*]}")" --out "$folder"
}
