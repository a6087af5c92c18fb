namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep run</c>: the main job, from a pre-trained model to a few-step sampler with a report.</summary>
internal static class RunVerb
{
    private const string Runs = "runs";

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("run",
            "Find the schedule and fit the solver's weights on it (Phase 1), tune the model to both (Phase 2), sample, compare, report. "
                + "Interrupt with Ctrl-C and add --resume to go on.");
        var usual = new RunOptions { Folder = "" };
        var model = command.Model();
        var output = command.Optional<string?>("--out", $"Run folder; default a new one under {Runs}/.", "folder");
        var resume = command.Optional<bool>("--resume", "Go on with the run in --out.");
        var steps = command.Option("--steps", "Solver steps N.", usual.Steps);
        var rounds = command.Option("--rounds", "Rounds of Phase 1 and Phase 2; 0 finds the sampler only.", usual.Rounds);
        var power = command.Option("--power", "Weighting of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p.", usual.Power);
        var plain = command.Optional<bool>("--no-fit", "Leave the solver's weights as they are.");
        var flags = new ExperimentFlags(command, usual.Samples, "the Fréchet distance on --features");
        var (tuning, about) = (new TuningFlags(command), new ModelFlags(command));
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(flags.Threads));
            string checkpoint = parsed.GetRequiredValue(model), path = parsed.GetRequiredValue(flags.Data);
            var type = parsed.ComputeTypeOf(flags.Dtype);
            using var source = Model.Open(checkpoint, about.Read(parsed, type, parsed.GetValue(flags.Threads)));
            if (parsed.GetValue(rounds) > 0)
                source.RequireNetwork();
            using var training = ModelImages.Open(parsed, flags.Data, source, parsed.GetValue(flags.Seed), terminal, cancellation);
            bool isOwn = training is OwnSampleSet;
            using var held = parsed.GetValue(flags.Reference) is string other
                ? ImageSets.Open(other, progress: terminal.Progress, cancellation: cancellation)
                : isOwn ? null
                : ImageSets.Open(path, DataSplit.Test, terminal.Progress, cancellation);
            using var context = flags.Context(parsed, source.Shape, checkpoint, held, terminal.Progress, cancellation);
            bool goOn = parsed.GetValue(resume);
            var sampled = flags.Experiment(parsed, "", "");
            var options = new RunOptions
            {
                Folder = parsed.GetValue(output) ?? (goOn ? NewestRun() : NewRun(source.Name, parsed.GetValue(steps))),
                Steps = parsed.GetValue(steps),
                Rounds = parsed.GetValue(rounds),
                Power = parsed.GetValue(power),
                Samples = sampled.Samples,
                Ranges = sampled.Ranges,
                FirstSeed = sampled.FirstSeed,
                ShownSeeds = sampled.ShownSeeds,
                BatchSize = sampled.BatchSize,
                Curve = flags.Curve.Read(parsed),
                Solver = tuning.SolverName(parsed),
                Fit = parsed.GetValue(plain) ? null : usual.Fit,
                Tuning = tuning.Read(parsed) with { ComputeType = type },
                Seed = sampled.Seed,
                DataName = isOwn ? OwnSampleSet.Name : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path))),
                CommandLine = CommandLineManifest.CommandText(parsed),
            };
            if (!goOn && File.Exists(Path.Combine(options.Folder, RunFolder.ManifestName)))
            {
                throw new InvalidInputException(
                    $"{options.Folder} holds a run already; add --resume to go on with it, or choose another folder with --out.");
            }

            using var folder = parsed.GetValue(output) is null ? FolderLock.Take(options.Folder) : null;
            string[] metrics = flags.Metrics(parsed, held is null ? EndpointMetric.Entry.Name : flags.Frechet(parsed));
            using var run = new FewStepRun(source, training, metrics, context, options);
            terminal.Message(Plan(options, source.Denoiser, training as OwnSampleSet));
            try
            {
                var summary = run.Execute(goOn, terminal.Progress, cancellation);
                bool tunes = options.Rounds > 0;
                var commands = FoundCommands.Of(
                    tunes ? options.Folder : checkpoint, Path.Combine(options.Folder, Model.SamplerName), tunes, data: isOwn ? null : path,
                    isFlow: source.IsFlow, options: tunes ? about.SaidOfTuned(parsed, source) : about.Said(parsed));
                ExperimentOutput.Write(terminal, parsed.GetValue(flags.Json), summary with { Commands = commands }, options.Folder);
            }
            catch (OperationCanceledException)
            {
                terminal.Message($"What is done is in {options.Folder}; repeat the command with --out {options.Folder} --resume to go on.");
                throw;
            }
        });
    }

    // Before minutes of work.
    private static string Plan(RunOptions options, IDenoiser denoiser, OwnSampleSet? own) => InvariantText.Of(
        $"{options.Folder}: the loss curve; a sampler of {options.Steps} steps{(options.Fit is null ? "" : ", fitted to the model")}; "
            + $"{options.Rounds} round{(options.Rounds == 1 ? "" : "s")} of tuning with {options.Tuning.Updates} updates; "
            + $"{options.Ranges} x {options.Samples} images of each sampler that is compared. ")
            + TerminalOutput.Estimate(RunEstimate.Evaluations(options, own), EvaluationSpeed.Measure(denoiser, options.BatchSize));

    private static string NewRun(string model, int steps)
    {
        string name = FormattableString.Invariant($"{string.Join('-', model.Split(Path.GetInvalidFileNameChars()))}-{steps}-steps");
        string path = Path.Combine(Runs, name);
        for (int i = 2; Directory.Exists(path); i++)
            path = Path.Combine(Runs, FormattableString.Invariant($"{name}-{i}"));
        return path;
    }

    private static string NewestRun() =>
        (Directory.Exists(Runs) ? new DirectoryInfo(Runs).GetDirectories()
            .Where(d => File.Exists(Path.Combine(d.FullName, RunFolder.ManifestName))).MaxBy(d => d.CreationTimeUtc) : null) is { } newest
            ? Path.Combine(Runs, newest.Name)
            : throw new InvalidInputException($"There is no run under {Runs}/ to resume; name one with --out.");
}
