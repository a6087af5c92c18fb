namespace FewStep.Cli.Cluster;

/// <summary><c>fewstep cluster kubernetes</c>: the stages of a command as Jobs of Kubernetes, in files for kubectl. No cluster is
/// contacted.</summary>
internal sealed class KubernetesLauncher
{
    private readonly TerminalOutput _terminal;
    private readonly LaunchFlags _launch;
    private readonly Option<string> _image, _claim, _mount, _program;
    private readonly Option<string?> _namespace, _processors, _memory;
    private readonly Option<int> _gpus, _retries;

    private KubernetesLauncher(Command command, TerminalOutput terminal)
    {
        _terminal = terminal;
        _launch = new LaunchFlags(command, "The folder of the Jobs' files; left out, the jobs' name and -jobs, here.", "folder");
        _image = command.Required<string>("--image", "The container image that holds the program.", "image");
        _claim = command.Required<string>("--volume-claim", "The volume claim that all pods share, with model, data and --out in it: "
            + "ReadWriteMany, unless all pods run on one node.", "name");
        _mount = command.Option(
            "--mount", "Where it is mounted, which is the folder that the command's paths are relative to.", "/work", "path");
        _namespace = command.Optional<string?>("--namespace", "Namespace of the jobs; left out, kubectl's.", "name");
        _processors = command.Optional<string?>(
            "--cpu", "Processors of a pod: 4, 0.5 or 500m. Without a GPU its --threads, unless the command says them.", "number");
        _memory = command.Optional<string?>("--memory", "Memory of a pod, such as 16Gi.", "size");
        _gpus = command.Option(
            "--gpus", "GPUs of a pod (nvidia.com/gpu): 0 or 1. With 1 the command computes there (--device cuda).", 0, "0|1");
        _retries = command.Option("--backoff-limit-per-index", "How often a shard is tried again that failed.", 3, "n");
        _program = command.Option("--program", "The program in the image.", "fewstep", "path");
        command.Runs(Launch);
    }

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("kubernetes", "Write a command in shards as Jobs of Kubernetes: what all need, an Indexed Job of the "
            + "shards, and a Job that joins them. Kubernetes starts no Job after another: apply them one after the other.");
        _ = new KubernetesLauncher(command, terminal);
        return command;
    }

    private void Launch(ParseResult parsed, CancellationToken cancellation)
    {
        int gpus = parsed.GetValue(_gpus);
        if (gpus is not (0 or 1))
        {
            throw new InvalidInputException(
                $"{_gpus.Name} must be 0 or 1: a shard computes on one GPU, and more of them are more shards.");
        }

        string? processors = parsed.GetValue(_processors);
        double? count = processors is null ? null : KubernetesName.Processors(processors) ?? throw LaunchFlags.Refused(
            _processors, processors, "a number of processors above 0, such as 4, 0.5 or 500m");
        var command = _launch.Command(parsed, count is { } some ? (int)Math.Ceiling(some) : null, gpus > 0);
        int most = KubernetesName.LongestLabel - Math.Max(
            "-prepare".Length, InvariantText.Of($"-shards-{command.Count - 1}").Length);
        string name = _launch.JobName(parsed, command, most);
        int? running = _launch.MaxRunning(parsed);
        int retries = parsed.GetValue(_retries) is >= 0 and <= 1000 and var limit ? limit
            : throw new InvalidInputException($"{_retries.Name} must be 0 to 1000.");
        var jobs = new KubernetesJobs(command, name)
        {
            Image = Checked(
                _image, i => i.All(c => char.IsAscii(c) && !char.IsControl(c) && c != ' '), "the name of an image, without spaces"),
            Namespace = LaunchFlags.Checked(
                parsed, _namespace, KubernetesName.IsLabel, "a DNS label: small letters, digits and hyphens, 63 at the most"),
            VolumeClaim = Checked(_claim, KubernetesName.IsSubdomain, "a DNS name: small letters, digits, hyphens and points"),
            Mount = Checked(_mount, m => m.Length > 1 && m[0] == '/' && !m.Any(c => c == ':' || char.IsControl(c)) && !HasParents(m),
                "a path from the root, without : and .."),
            Program = parsed.GetRequiredValue(_program),
            Processors = processors,
            Memory = LaunchFlags.Checked(parsed, _memory, KubernetesName.IsMemory, "an amount of memory, such as 16Gi or 500M"),
            Gpus = gpus,
            Parallelism = Math.Min(running ?? command.Count, command.Count),
            Retries = retries,
        };
        string mount = jobs.Mount.TrimEnd('/'), place = command.Folder;
        if (HasParents(place) || (place[0] == '/' && !$"{place}/".StartsWith($"{mount}/", StringComparison.Ordinal)))
        {
            throw new InvalidInputException(
                $"--out {Printable.Text(place)} does not lie in {mount}, which all pods share; name one that does, without '..'.");
        }

        string folder = _launch.Place(parsed) ?? $"{name}-jobs";
        string space = jobs.Namespace is null ? "" : $" -n {jobs.Namespace}";
        var commands = new List<string>();
        foreach (var (job, text) in jobs.All())
        {
            cancellation.ThrowIfCancellationRequested();
            string file = Path.Combine(folder, $"{job}.json");
            _launch.Write(parsed, file, text);
            commands.Add($"kubectl apply{space} -f {ShellWord.Of(file)}");
            commands.Add($"kubectl wait{space} --for=condition=complete --timeout=-1s job/{job}");
        }

        string lines = string.Concat(commands.Select(line => $"\n  {line}"));
        _terminal.Result(_launch.Json(parsed), new { folder, commands }, $"Wrote {folder}. One after the other:{lines}");

        string Checked(Option<string> option, Func<string, bool> holds, string rule) =>
            parsed.GetRequiredValue(option) is var value && holds(value) ? value : throw LaunchFlags.Refused(option, value, rule);
    }

    private static bool HasParents(string path) => path.Split('/').Contains("..");
}
