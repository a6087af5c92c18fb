using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FewStep.Cli.Cluster;

/// <summary><c>fewstep cluster slurm</c>: one script that submits the stages of a command as jobs of Slurm, and is what they run.</summary>
internal sealed partial class SlurmLauncher
{
    private const string Sbatch = "sbatch", FolderName = "slurm", FileName = "submit.sh", None = "none";

    private readonly TerminalOutput _terminal;
    private readonly LaunchFlags _launch;
    private readonly Option<bool> _submit, _missing, _requeue;
    private readonly Option<string?> _partition, _account, _time, _memory, _gpus, _program;
    private readonly Option<int?> _processors;
    private readonly Option<string[]> _options, _setup;

    private SlurmLauncher(Command command, TerminalOutput terminal)
    {
        _terminal = terminal;
        _launch = new LaunchFlags(
            command, $"The script; left out, {FolderName}/{FileName} in the command's --out, where the jobs' logs go too.", "file");
        _submit = command.Optional<bool>("--submit", $"Submit the jobs by {Sbatch}; left out, the script is written alone.");
        _missing = command.Optional<bool>(
            "--only-missing", "With --submit: of the shards those alone whose parts are missing or not done.");
        _partition = command.Optional<string?>("--partition", "Partition of the jobs.", "name");
        _account = command.Optional<string?>("--account", "Account that is charged.", "name");
        _time = command.Optional<string?>("--time", "Most time of a job: minutes, h:mm:ss, d-h, d-h:mm or d-h:mm:ss.", "time");
        _processors = command.Optional<int?>(
            "--cpus-per-task", "Processors of a job. Without a GPU its --threads, unless the command says them.", "n");
        _gpus = command.Optional<string?>(
            "--gpus", "The GPU of a job: 1, or a kind and 1, such as a100:1. The command then computes there (--device cuda).", "[kind:]1");
        _memory = command.Optional<string?>("--mem", "Memory of a job, such as 16G.", "size");
        _requeue = command.Optional<bool>("--requeue", "Put a job back into the queue, three times at the most, that was killed, whose "
            + "node failed, or whose time is over within a minute; it goes on with what it has.");
        _setup = command.Optional<string[]>(
            "--setup", "A line of shell before the program, such as \"module load cuda\". May be repeated.", "line");
        _options = command.Optional<string[]>(
            "--sbatch", $"A further option of {Sbatch}, such as --sbatch=--qos=long. May be repeated.", "option");
        _program = command.Optional<string?>("--program", "The program as the nodes see it; left out, this one.", "path");
        command.Runs(Launch);
    }

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("slurm", "Write a script that submits a command in shards to Slurm: what all need, an array job of the "
            + "shards, and a job that joins them. Or submit it.");
        _ = new SlurmLauncher(command, terminal);
        return command;
    }

    private void Launch(ParseResult parsed, CancellationToken cancellation)
    {
        var command = _launch.Command(parsed, Processors(parsed), parsed.GetValue(_gpus) is not null);
        string name = _launch.JobName(parsed, command, KubernetesName.LongestLabel);
        OutputPlaces.Check(command.Parsed);
        string logs = Path.Combine(Path.GetFullPath(command.Folder), FolderName);
        if (logs.Any(c => char.IsControl(c) || c == '\\'))
            throw new InvalidInputException("Slurm takes no log files in folders with a backslash or line break; choose another --out.");
        if (parsed.GetValue(_missing) && !parsed.GetValue(_submit))
            throw new InvalidInputException("--only-missing does nothing without --submit.");
        string? shards = parsed.GetValue(_missing) ? Ranges(command.Missing()) : null;
        string script = Path.GetFullPath(_launch.Place(parsed) ?? Path.Combine(logs, FileName));
        _launch.Write(parsed, script, new SlurmScript(command, logs)
        {
            Program = parsed.GetValue(_program) is { } program ? [program] : LocalShards.Program,
            Options = [$"--job-name={name}", .. Options(parsed)],
            Setup = parsed.GetValue(_setup) ?? [],
            MaxRunning = _launch.MaxRunning(parsed),
            Requeues = parsed.GetValue(_requeue),
        }.Text());
        if (!parsed.GetValue(_submit))
        {
            _terminal.Result(_launch.Json(parsed), new { script }, $"Wrote {script}. Submit it: bash {ShellWord.Posix(script)}");
            return;
        }

        cancellation.ThrowIfCancellationRequested();
        var jobs = Submit(script, shards);
        string which = shards is null ? InvariantText.Of($"all {command.Count} shards") : shards == None ? "no shard, all are done"
            : $"shards {shards}";
        _terminal.Result(_launch.Json(parsed), new { script, shards, jobs }, $"Submitted {which}: "
            + $"{string.Join(", ", jobs.Select(j => $"{j.Key} is job {j.Value}"))}. Logs: {logs}.");
    }

    private IEnumerable<string> Options(ParseResult parsed)
    {
        foreach (var (option, value) in new[]
        {
            (_partition, parsed.GetValue(_partition)), (_account, parsed.GetValue(_account)),
            (_time, LaunchFlags.Checked(parsed, _time, TimeLimit().IsMatch, "minutes, m:ss, h:mm:ss, d-h, d-h:mm or d-h:mm:ss")),
            (_memory, LaunchFlags.Checked(parsed, _memory, Size().IsMatch, "a whole number and K, M, G or T, such as 16G")),
        })
        {
            if (value is not null)
                yield return $"{option.Name}={value}";
        }

        if (Processors(parsed) is { } processors)
            yield return InvariantText.Of($"{_processors.Name}={processors}");
        const string one = "1, or a kind and 1, such as a100:1: a shard computes on one GPU, and more of them are more shards";
        if (LaunchFlags.Checked(parsed, _gpus, Gpu().IsMatch, one) is { } gpus)
            yield return $"--gres=gpu:{gpus}";
        if (parsed.GetValue(_requeue))
            yield return "--requeue";
        foreach (string option in parsed.GetValue(_options) ?? [])
        {
            yield return option.StartsWith("--", StringComparison.Ordinal) && option.Length > 2 ? option
                : throw LaunchFlags.Refused(_options, option, $"an option of {Sbatch} in its long form, such as --qos=long");
        }
    }

    private int? Processors(ParseResult parsed) => parsed.GetValue(_processors) is not { } number ? null
        : number is > 0 and <= 1024 ? number : throw LaunchFlags.Refused(_processors, InvariantText.Of($"{number}"), "1 to 1024");

    // 1-3,7 for 1, 2, 3 and 7.
    private static string Ranges(IReadOnlyList<int> numbers)
    {
        var ranges = new List<(int First, int Last)>();
        foreach (int number in numbers)
        {
            if (ranges.Count > 0 && ranges[^1].Last == number - 1)
                ranges[^1] = (ranges[^1].First, number);
            else
                ranges.Add((number, number));
        }

        static string Text((int First, int Last) range) =>
            range.First == range.Last ? InvariantText.Of($"{range.First}") : InvariantText.Of($"{range.First}-{range.Last}");
        return ranges.Count == 0 ? None : string.Join(',', ranges.Select(Text));
    }

    // The numbers of the jobs, by what they do.
    private static Dictionary<string, string> Submit(string script, string? shards)
    {
        string[] places = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (!places.Any(p => File.Exists(Path.Combine(p, Sbatch))))
        {
            throw new InvalidInputException($"There is no {Sbatch} on this machine. {script} is written; run it where Slurm's commands "
                + $"are: bash {ShellWord.Posix(script)}");
        }

        var start = new ProcessStartInfo("bash")
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string word in shards is null ? [script] : new[] { script, shards })
            start.ArgumentList.Add(word);
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var errors = process.StandardError.ReadToEndAsync();
            string[] lines = process.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
            process.WaitForExit();
            return process.ExitCode == 0
                ? lines.Select(line => line.Split(' ')).Where(words => words.Length == 2).ToDictionary(words => words[0], words => words[1])
                : throw new InvalidInputException(
                    $"Slurm did not take the jobs: {Printable.Message(errors.Result.Trim())} The script is {script}.");
        }
        catch (Win32Exception e)
        {
            throw new InvalidInputException($"bash cannot be started here; {script} is written.", e);
        }
    }

    [GeneratedRegex(@"\A(?:[A-Za-z0-9_.-]+:)?1\z")]
    private static partial Regex Gpu();

    [GeneratedRegex(@"\A(?:[0-9]{1,6}-)?[0-9]{1,9}(?::[0-9]{1,2}){0,2}\z")]
    private static partial Regex TimeLimit();

    [GeneratedRegex(@"\A[1-9][0-9]{0,11}[KMGT]?\z")]
    private static partial Regex Size();
}
