using System.Diagnostics;
using FewStep.Shards;

namespace FewStep.Cli.Verbs;

/// <summary><c>--local n</c>: the shards of a command as processes of this program on one machine, one a GPU where there are GPUs. One that
/// dies is started again, a few times; all end with this one, however it ends.</summary>
internal sealed class LocalShards
{
    private const int MostStarts = 4;
    private const string Threads = SharedOptions.ThreadsName, Quiet = "--quiet", VisibleGpus = "CUDA_VISIBLE_DEVICES";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50), BeforeRestart = TimeSpan.FromMilliseconds(300);

    private readonly int _count;
    private readonly string _folder;
    private readonly IReadOnlyList<string> _words;
    private readonly IReadOnlyList<string> _ownWords;
    private readonly string[] _gpus;
    private readonly IProgress<WorkProgress> _progress;

    public LocalShards(ParseResult parsed, int count, string folder, IProgress<WorkProgress> progress)
    {
        (_count, _folder, _progress) = (count, folder, progress);
        _words = ShardFlags.Words(parsed);
        _gpus = Gpus(DeviceFlag.Read(parsed));
        int named = parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Name == Threads) is Option<int> option
            ? parsed.GetValue(option) : 0;
        int share = Math.Max(1, (named > 0 ? named : Environment.ProcessorCount) / count);
        int at = _words.ToList().IndexOf(Threads);
        _ownWords = _gpus.Length > 0 ? _words
            : [.. at < 0 ? _words : [.. _words.Take(at), .. _words.Skip(at + 2)], Threads, InvariantText.Of($"{share}")];
    }

    /// <summary>What starts the program, words of its command line first.</summary>
    public static IReadOnlyList<string> Program { get; set; } = Own();

    /// <summary>Runs all shards.</summary>
    /// <returns>The command line that joins them.</returns>
    public string[] Run(CancellationToken cancellation)
    {
        string parts = Path.Combine(_folder, Parts.FolderName);
        using (FolderLock.Take(parts))
        {
            if (ShardFlags.IsPrepared(_words[0]))
                RunAll([ShardStage.Prepare], cancellation);
            RunAll([.. Enumerable.Range(1, _count).Select(i => ShardStage.Of(new Shard(i, _count)))], cancellation);
        }

        return ShardFlags.Line(_words, _folder, ShardStage.Merge);
    }

    private static string[] Own()
    {
        string program = Path.Combine(AppContext.BaseDirectory, "FewStep.Cli" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        return [File.Exists(program) ? program : Environment.ProcessPath!];
    }

    private static string[] Gpus(DeviceChoice device)
    {
        if (device != DeviceChoice.Auto && device != DeviceChoice.Parse("cuda"))
            return [];
        return TorchLibrary.Failure is not null ? [] : Gpus(Environment.GetEnvironmentVariable(VisibleGpus), CudaState.Now().Devices);
    }

    /// <summary>What a process is to call each of the GPUs that this one sees.</summary>
    /// <param name="named"><c>CUDA_VISIBLE_DEVICES</c> of this process: CUDA takes its names up to the first that is none. Null where it is
    /// not set.</param>
    /// <param name="there">How many GPUs this process sees.</param>
    public static string[] Gpus(string? named, int there) => named is null
        ? [.. Enumerable.Range(0, there).Select(i => InvariantText.Of($"{i}"))]
        : [.. named.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(there)];

    /// <summary>What a worker's environment has beside that of this process.</summary>
    /// <param name="place">Which of the workers it is, from 0.</param>
    /// <param name="gpus">The GPUs, which the workers take in turn; none for the processor.</param>
    public static IReadOnlyDictionary<string, string> EnvironmentOf(int place, IReadOnlyList<string> gpus)
    {
        var own = new Dictionary<string, string> { [WorkerProcess.Variable] = "1" };
        if (gpus.Count > 0)
            own[VisibleGpus] = gpus[place % gpus.Count];
        return own;
    }

    private void RunAll(IReadOnlyList<ShardStage> stages, CancellationToken cancellation)
    {
        var workers = new List<Worker>();
        try
        {
            for (int i = 0; i < stages.Count; i++)
                workers.Add(new Worker(stages[i], Start(stages[i], i)));
            while (workers.Any(w => !w.IsDone))
            {
                cancellation.ThrowIfCancellationRequested();
                Tell(workers);
                Thread.Sleep(Pause);
                for (int i = 0; i < workers.Count; i++)
                    Look(workers[i], i);
            }
        }
        finally
        {
            workers.ForEach(w => w.Dispose());
        }
    }

    private void Look(Worker worker, int place)
    {
        if (worker.IsDone || !worker.HasEnded)
            return;
        int code = worker.Code;
        if (code == ExitCode.Success)
        {
            worker.IsDone = true;
            return;
        }

        // A shard of an earlier call that was killed may still be ending.
        bool isFinal = code == ExitCode.BadInput && !worker.Messages.Contains(" is in use by ", StringComparison.Ordinal);
        if (isFinal)
            throw new InvalidInputException(worker.LastMessage);
        if (worker.Starts >= MostStarts)
        {
            throw new InvalidInputException(InvariantText.Of($"Shard {worker.Stage} ended {worker.Starts} times before it was done ")
                + InvariantText.Of($"(exit code {code}). {worker.LastMessage} The others' work is kept: repeat the command to go on."));
        }

        Thread.Sleep(BeforeRestart);
        worker.StartAgain(Start(worker.Stage, place));
    }

    private Process Start(ShardStage stage, int place)
    {
        var start = new ProcessStartInfo(Program[0])
        { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (string word in Program.Skip(1).Concat(ShardFlags.Line(_ownWords, _folder, stage)).Append(Quiet))
            start.ArgumentList.Add(word);
        foreach (var (name, value) in EnvironmentOf(place, _gpus))
            start.Environment[name] = value;
        return Process.Start(start)!;
    }

    // The stage that most of them are in stands for all.
    private void Tell(List<Worker> workers)
    {
        var common = workers.Select(w => w.Told).OfType<WorkProgress>().GroupBy(p => (p.Stage, p.Unit)).MaxBy(g => g.Count());
        if (common is not null)
        {
            _progress.Report(new WorkProgress(common.Key.Stage, common.Sum(p => p.Done), common.Sum(p => p.Total), common.Key.Unit,
                InvariantText.Of($"{workers.Count(w => !w.IsDone)} of {workers.Count} shards")));
        }
    }

    private sealed class Worker : IDisposable
    {
        private readonly Lock _lock = new();
        private readonly Queue<string> _messages = new();
        private Process _process;
        private WorkProgress? _told;

        public Worker(ShardStage stage, Process process)
        {
            (Stage, _process) = (stage, process);
            Listen();
        }

        public ShardStage Stage { get; }
        public bool IsDone { get; set; }
        public int Starts { get; private set; } = 1;
        public bool HasEnded => _process.HasExited;

        /// <summary>How it ended, once it has.</summary>
        public int Code
        {
            get
            {
                _process.WaitForExit(); // for its last lines as well
                return _process.ExitCode;
            }
        }

        public WorkProgress? Told
        {
            get
            {
                lock (_lock)
                    return _told;
            }
        }

        public string Messages
        {
            get
            {
                lock (_lock)
                    return string.Join('\n', _messages);
            }
        }

        public string LastMessage
        {
            get
            {
                string[] lines = Messages.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                return lines.Length == 0 ? "It left no message."
                    : lines[^1].StartsWith(Failures.Prefix, StringComparison.Ordinal) ? lines[^1][Failures.Prefix.Length..] : lines[^1];
            }
        }

        public void StartAgain(Process process)
        {
            _process.Dispose();
            lock (_lock)
                _messages.Clear();
            _process = process;
            Starts++;
            Listen();
        }

        public void Dispose()
        {
            if (!_process.HasExited)
                _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
            _process.Dispose();
        }

        private void Listen()
        {
            const int mostLines = 20;
            _process.OutputDataReceived += (_, line) =>
            {
                lock (_lock)
                    _told = WorkerProcess.Read(line.Data) ?? _told;
            };
            _process.ErrorDataReceived += (_, line) =>
            {
                lock (_lock)
                {
                    if (line.Data is not null)
                        _messages.Enqueue(line.Data);
                    if (_messages.Count > mostLines)
                        _messages.Dequeue();
                }
            };
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
        }
    }
}
