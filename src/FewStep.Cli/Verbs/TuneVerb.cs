using FewStep.Collectives;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep tune</c>: Phase 2. Fine-tunes a model to one sampling schedule.</summary>
internal static class TuneVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("tune", "Phase 2: fine-tune a model to a sampler. Interrupt with Ctrl-C and repeat the command to "
            + "resume. Started by mpirun or srun, its processes divide every batch.");
        var model = command.Model();
        var search = command.Optional<int>(
            "--search", "First search the schedule that tunes best, by this many short tunings (by trajectory, whatever --loss); 0 for "
                + "none.");
        var searchUpdates = command.Option("--search-updates", "Updates of each of them.", new TunedScheduleOptions().Tuning.Updates);
        var output = command.Required<string>("--out",
            "Model folder to make, with its sampler, checkpoints, curve and snapshots; a tuning found there is resumed, and "
                + "goes on where --updates is more than it made.", "folder");
        var begin = command.Optional<string>("--start", "Model folder whose weights the tuning begins at, such as an earlier tuning's with "
            + "another loss or more steps; --model stays the teacher. Left out, --model's.", "folder");
        var every = command.Option("--checkpoint-seconds", "Seconds between checkpoints.", 60.0);
        var snapshots = command.Option("--snapshots", "Fractions of the updates after which the averaged weights are kept in a folder of "
            + "their own; none for no such folders.", "0.25,0.5,1", "list");
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        var (tuning, lora) = (new TuningFlags(command), new LoraFlags(command));
        var target = new SamplerFlags(command, " With --search, a list with commas to begin at.");
        var about = new ModelFlags(command, takesOnnx: false);
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            bool searches = parsed.GetValue(search) != 0;
            if (searches && parsed.GetValue(begin) is not null)
            {
                throw new InvalidInputException(
                    "--search tunes from --model itself: search without --start, then tune to the sampler.json that it writes.");
            }

            if (searches && LaunchedRanks.Current.Ranks > 1)
            {
                throw new InvalidInputException(
                    "--search is the work of one process: search without the launcher, then tune to the sampler.json that it writes.");
            }

            if (!searches)
                OptionValues.RefuseIdle(parsed, [searchUpdates], "--search");
            var starts = Starts(parsed, target, searches, tuning.Solver(parsed));
            about.RefuseIdleRange(parsed, starts.Select(s => s.Schedule));
            var options = tuning.Read(parsed) with
            {
                Lora = lora.Read(parsed),
                Seed = parsed.GetValue(seed),
                SnapshotFractions = NumberList.Fractions(parsed.GetRequiredValue(snapshots), "--snapshots"),
            };
            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            if (source.Teacher is not null && (options.Loss == TuningLoss.Denoise || searches))
            {
                throw new InvalidInputException(
                    "A guided teacher is learned from on a schedule that is given, and the loss denoise has no teacher; "
                    + "leave --loss denoise and --search out, or --guidance.");
            }

            using var start = parsed.GetValue(begin) is { } path ? source.OpenAlike(path) : null;
            if (start is not null)
                source.RequireStart(start, options);
            string folder = parsed.GetRequiredValue(output);
            var network = source.RequireNetwork();
            List<Sampler> samplers =
                [.. starts.Select(
                    s => target.Make(parsed, source, s, tuning.SolverName(parsed), options.Seed, terminal, cancellation))];
            var sampler = searches
                ? samplers[0] with
                {
                    Schedule = Search(network, samplers, Candidates(options, samplers[0].Solver,
                        parsed.GetValue(search), parsed.GetValue(searchUpdates)), folder, terminal, cancellation),
                    Origin = new SamplerOrigin
                    { Schedule = "tuned", Source = ScheduleSource.Alternation, ModelHash = source.NetworkHash, Seed = options.Seed },
                }
                : samplers[0];
            options = options.For(sampler.Steps, sampler.Solver);
            using var images = options.Loss == TuningLoss.Denoise ? ModelImages.Open(
                parsed, target.Data, source, options.Seed, terminal, cancellation) : null;
            using var embedding = ImageEmbeddings.Open(options.ImageDistance, network, network.Shape, network.Device);
            var place = new TuningRunOptions
            {
                Folder = folder,
                CheckpointSeconds = parsed.GetValue(every),
                Remark = terminal.Message,
                LoraNames = lora.Names(parsed),
                ModelHash = source.NetworkHash,
                Pipeline = source.Pipeline,
                Ranks = LaunchedRanks.Current,
            };
            var run = new TuningRun(source.Config, network, sampler, options, place,
                images is null ? null : TuningImages.Split(source.Fitting(images), source.Autoencoder),
                start?.Network!.Weights, source.Teacher, embedding);
            using var events = new EventLog(Path.Combine(folder, "events"));
            var observer = new TuningObserver
            {
                Progress = terminal.Progress,
                Update = events.Training,
                Point = point => events.Scalar("tune/held_out", point.HeldOut, point.Update)
            };
            if (!place.Ranks.IsFirst())
                observer = new TuningObserver();
            var report = run.Execute(observer, cancellation);
            if (report.Stop == TuningStop.Diverged)
            {
                throw new InvalidInputException($"Tuning diverged: {report.Explanation}. The best weights so far are in {run.ModelPath}; "
                    + "tune again with another --out.");
            }

            terminal.Result(parsed.GetValue(json), report,
                $"{Sentence(report.Explanation)} {Gain(report)}{report.Evaluations.Forward:N0} network evaluations, {report.Seconds:F0} s. "
                    + $"{Places(run)}");
            return report.Stop == TuningStop.Cancelled ? ExitCode.Interrupted : ExitCode.Success;
        });
    }

    private static string Places(TuningRun run) => run switch
    {
        { LoraPath: null } => $"The model is in {run.ModelPath}.",
        { WritesModel: true } => $"The LoRA is {run.LoraPath}, the model with it in {run.ModelPath}.",
        _ => $"The LoRA is {run.LoraPath}, its sampler in {run.ModelPath}.",
    };

    private static string Sentence(string clause) => $"{char.ToUpperInvariant(clause[0])}{clause[1..]}.";

    // Stopped before anything was measured, there is nothing to compare.
    private static string Gain(TuningReport report) => report.Curve.Count == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"{report.HeldOutMetric}: {report.Curve[0].HeldOut:G4} before, {report.BestHeldOut:G4} at update {report.BestUpdate} of "
            + $"{report.Updates}. ");

    // One sampler, or those that a search begins at.
    private static IReadOnlyList<SamplerChoice> Starts(ParseResult parsed, SamplerFlags target, bool searches, ISolver? solver)
    {
        if (searches && target.Schedule(parsed) is string list)
        {
            return [
                .. list.Split(',', StringSplitOptions.TrimEntries).Select(name => SamplerFlags.Read(name, solver, target.Steps(parsed)))];
        }

        return [target.Read(parsed, solver)
            ?? throw new InvalidInputException("Say what to tune to: --sampler with a file or in short, or --schedule.")];
    }

    private static TunedScheduleOptions Candidates(TuningOptions tuning, ISolver solver, int candidates, int updates)
    {
        var defaults = new TunedScheduleOptions();
        return defaults with
        {
            Solver = solver,
            Candidates = candidates,
            Tuning = tuning with
            {
                Updates = updates,
                EvaluationInterval = updates,
                HeldOutCount = defaults.Tuning.HeldOutCount,
                SnapshotFractions = [],
                WarmUpUpdates = null
            },
            Starts = [],
        };
    }

    private static SamplingSchedule Search(NetworkDenoiser network, List<Sampler> samplers, TunedScheduleOptions options, string folder,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        List<SamplingSchedule> starts = [.. samplers.Select(s => s.Schedule)];
        if (!starts.All(s => s.Steps == starts[0].Steps && s.Terminal == starts[0].Terminal))
        {
            throw new InvalidInputException(
                "--schedule: the schedules to begin a search at must have the same number of steps and the same terminal rule.");
        }

        var request = new ScheduleSearchRequest
        { Steps = [starts[0].Steps], SigmaMin = starts[0].Sigmas[^1], SigmaMax = starts[0].Sigmas[0], Terminal = starts[0].Terminal };
        var optimizer = new TunedScheduleOptimizer(
            network, options with { FurtherStarts = starts }, Path.Combine(folder, "candidates.json"));
        var found = optimizer.Search(request, terminal.Progress, cancellation)[0];
        terminal.Message(string.Create(CultureInfo.InvariantCulture, $"{found.Search}: {found.Loss.Value:G4}; {found.StopReason}. Sigmas "
            + $"{string.Join(", ", found.Schedule.Sigmas.Select(s => s.ToString("G4", CultureInfo.InvariantCulture)))}."));
        return found.Schedule;
    }
}
