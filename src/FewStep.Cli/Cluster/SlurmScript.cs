namespace FewStep.Cli.Cluster;

/// <summary>The script of a command's jobs: without a role it submits them, with one it is the job. So one file holds all, and Slurm keeps
/// a copy of it as it was submitted.</summary>
/// <param name="command">The command.</param>
/// <param name="logs">Full path of the folder of the jobs' logs.</param>
internal sealed class SlurmScript(LaunchedCommand command, string logs)
{
    /// <summary>What starts the program, on every node.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>Options of sbatch that all jobs have.</summary>
    public required IReadOnlyList<string> Options { get; init; }

    /// <summary>Lines of shell before the program.</summary>
    public required IReadOnlyList<string> Setup { get; init; }

    /// <summary>Most shards that run at the same time; null for all.</summary>
    public int? MaxRunning { get; init; }

    /// <summary>Whether jobs that were killed go back into the queue.</summary>
    public bool Requeues { get; init; }

    public string Text()
    {
        string throttle = MaxRunning is { } most ? InvariantText.Of($"%{most}") : "";
        string signal = Requeues ? " --signal=B:USR1@60 --open-mode=append" : "";
        return InvariantText.Of($$"""
            #!/bin/bash
            # A command of fewstep in {{command.Count}} shards, as jobs of Slurm.
            #   bash submit.sh          submits all
            #   bash submit.sh 3,5-7    submits these shards, such as fewstep merge says are missing, and the merge
            #   bash submit.sh none     submits the merge alone
            set -e
            self=$(realpath -- "$0")
            cd {{Quoted(Directory.GetCurrentDirectory())}}
            logs={{Quoted(logs)}}

            work() { # the stage: prepare, the shard, or merge
            {{string.Concat(Setup.Select(line => $"    {line}\n"))}}    exec {{Line([.. Program, .. command.Words])}} "$1"
            }

            run() { # the stage, and the job's number
            {{Job()}}
            }

            submit() { # the name of its log, then options of sbatch, the script and the role
                local log=$1 job
                shift
                job=$(sbatch --parsable {{Line(Options)}}{{signal}} --output="${logs//%/%%}/$log.log" "$@") || exit
                echo "${job%%;*}"
            }

            case "${1-}" in
            run-prepare) run prepare "$SLURM_JOB_ID" ;;
            run-merge) run merge "$SLURM_JOB_ID" ;;
            # The number of the last task's job is the whole array's.
            run-shard) run "$SLURM_ARRAY_TASK_ID/{{command.Count}}" "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
            '' | [1-9]* | none)
                shards=${1-}
                shards=${shards:-1-{{command.Count}}}
                mkdir -p "$logs"
                jobs=()
                trap 'code=$?; [ "$code" -eq 0 ] || [ "${#jobs[@]}" -eq 0 ] || scancel "${jobs[@]}"' EXIT
                before=()
                if [ "$shards" != none ]; then
            {{Prepared()}}        array=$(submit shard-%a-%A --array="$shards{{throttle}}" "${before[@]}" "$self" run-shard)
                    jobs+=("$array")
                    before=(--dependency="afterok:$array" --kill-on-invalid-dep=yes)
                fi
                merge=$(submit merge-%j "${before[@]}" "$self" run-merge)
                jobs+=("$merge")
                [ "$shards" = none ] || echo "shards $array"
                echo "merge $merge"
                ;;
            *)
                echo "'$1' are no shards: 3,5-7, or none for the merge alone." >&2
                exit 2
                ;;
            esac

            """).ToString();
    }

    private static string Quoted(string word) => ShellWord.Posix(word);
    private static string Line(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    private string Prepared() => !command.IsPrepared ? "" : """
                prepare=$(submit prepare-%j "$self" run-prepare)
                jobs+=("$prepare")
                echo "prepare $prepare"
                before=(--dependency="afterok:$prepare" --kill-on-invalid-dep=yes)

        """;

    // Slurm tells this shell alone that the time is nearly over; it waits, so that it hears it.
    private string Job() => !Requeues ? "    work \"$1\"" : """
            trap : USR1
            work "$1" &
            wait "$!" && exit 0 || code=$?
            if [ "$code" -eq 137 ] || [ "$code" -eq 138 ]; then # killed, or told that its time is nearly over
                [ "${SLURM_RESTART_COUNT:-0}" -ge 3 ] || { scontrol requeue "$2" && sleep 300; }
            fi
            exit "$code"
        """;
}
