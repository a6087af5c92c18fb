using FewStep.Reporting;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>evaluate</c> and <c>compare</c> have in common: options after their own, and the experiment to its end.</summary>
internal sealed class PlannedFlags(
    Command command, string folder, int samples, string metrics, FeatureKind features = FeatureKind.Classifier)
{
    private static readonly string[] AboutModel =
        [CheckpointFlags.Prefix, "--guid", "--onnx-", "--prompt", "--negative-prompt", "--provider"];
    private readonly Option<string> _output = ExperimentOutput.Option(command, Path.Combine("runs", folder));

    private readonly ShardFlags _shards = new(command, "trials, or seeds of each");

    public ExperimentFlags Measured { get; } = new(command, samples, metrics, features);

    private readonly Option<string?> _curve = command.Curve();
    private readonly Option<bool> _anyModel = command.AnyModel();
    private readonly ModelFlags _about = new(command);

    /// <summary>Schedules by name, search or file.</summary>
    public static Option<string[]> Schedules(Command command, string usual, string also = "") => command.Option<string[]>(
        "--schedules", $"Schedules, separated by commas: {string.Join(", ", StandardSchedules.Names)}; searches on the model: "
            + $"{string.Join(", ", ScheduleOptimizerCatalog.Names)}; and files{also}.", [usual], "list");

    public static Option<int?> SearchImages(Command command) => command.Optional<int?>(
        "--search-images", "Latents of each search with trajectories; left out, the search's own number.");

    /// <summary>The solvers of a list with commas, each once.</summary>
    public static IReadOnlyList<ISolver> Solvers(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries).Select(SolverCatalog.Find).DistinctBy(s => s.Name)];

    public IReadOnlyList<SamplerChoice> Samplers(ParseResult parsed, Option<string[]> samplers) =>
        parsed.ReadSamplers(samplers, _anyModel);

    public ModelOptions Model(ParseResult parsed) =>
        _about.Read(parsed, parsed.GetValue(Measured.Dtype), parsed.GetValue(Measured.Threads));

    /// <summary>The prompts; null where there are none.</summary>
    public FewStep.Text.Prompts? Prompts(ParseResult parsed) => _about.ReadPrompts(parsed);

    public MetricContext Context(
        ParseResult parsed, Model model, ExperimentImages? real, IProgress<WorkProgress> progress, CancellationToken cancellation) =>
        Measured.Context(parsed, model.Shape, model.Path, real?.Reference, progress, cancellation);

    public ExperimentOptions Options(ParseResult parsed, string title, int? shown, ExperimentImages? real) =>
        Measured.Experiment(parsed, parsed.GetRequiredValue(_output), title) with
        {
            ShownNumber = shown,
            DataName = real?.Name,
            Division = _shards.Read(parsed, parsed.GetRequiredValue(_output)),
        };

    /// <summary>Refuses the options of the schedules' noise levels where every schedule is given.</summary>
    public void RefuseIdleRange(ParseResult parsed, params IEnumerable<ScheduleChoice?> chosen) => _about.RefuseIdleRange(parsed, chosen);

    /// <summary>Refuses shares of work that is not divided.</summary>
    /// <param name="work">The work, in words.</param>
    public void RefuseShards(ParseResult parsed, string work)
    {
        if (_shards.Read(parsed, "") is not null)
            throw new InvalidInputException($"{work}, which is not divided; leave {ShardFlags.Name} out.");
    }

    /// <summary>Measures what is planned, and writes the report.</summary>
    /// <param name="experiment">The plan, the metrics and their context, and what the verb has options of its own for.</param>
    public void Run(
        TerminalOutput terminal, ParseResult parsed, DateTimeOffset started, PlannedExperiment experiment, ExperimentImages? real,
        CancellationToken cancellation)
    {
        var first = experiment.Plan.Models[0].Model;
        if (experiment.Options.Folder is { } folder && File.Exists(Path.Combine(folder, RunFolder.ManifestName)))
        {
            throw new InvalidInputException($"{folder} holds a run or samples ({RunFolder.ManifestName}), whose report "
                + "would be replaced; choose another --out.");
        }

        if (experiment.Plan.Teacher?.Origin.Source != ScheduleSource.Standard)
            RefuseIdleRange(parsed, experiment.Plan.Schedules.Concat(experiment.Plan.Samplers.Select(s => s.Schedule)));
        if (real?.Training is { } training && experiment.Plan.Schedules.Any(s => s is ScheduleChoice.Searched))
            terminal.Remark(first, training);
        var summary = (experiment with
        {
            Training = real?.Training,
            Curve = parsed.ReadCurve(_curve, first.Hash),
            CurveOptions = Measured.Curve.Read(parsed),
        }).Run(terminal.Progress, cancellation);
        if (summary is null)
        {
            ShardFlags.Tell(terminal, parsed.GetValue(Measured.Json), experiment.Options.Division!);
            return;
        }

        var manifest = CommandLineManifest.Create(
            parsed, started, parsed.GetValue(Measured.Seed), first.Denoiser.Device, first.NumberFormat);
        Write(terminal, parsed, summary with { Manifest = manifest, Commands = Commands(parsed, summary, experiment.Plan) });
        experiment.Options.Division?.Finish();
    }

    // The best trial, whose sampler is written beside the report. Of options about a checkpoint none is a tuned model's.
    private CommandSummary[] Commands(ParseResult parsed, Summary summary, TrialPlanOptions plan)
    {
        var models = plan.Models;
        if (new ReportPage(summary).BestShown is not { Solver: { } solver } best)
            return [];
        string path = Path.Combine(parsed.GetRequiredValue(_output), $"best{SamplerFile.Extension}");
        var origin = new SamplerOrigin { Schedule = best.Schedule, Source = best.Source, ModelHash = models[0].Model.NetworkHash };
        var given = plan.Samplers.Select(s => s.MakeFor(models[0].Model, plan.UsualSolver)).FirstOrDefault(
            s => s?.Solver.Name == solver && s.Schedule.Sigmas.SequenceEqual(best.Sigmas));
        (given ?? new Sampler(new SamplingSchedule(best.Sigmas, best.Terminal), SolverCatalog.Find(solver)) { Origin = origin }).Save(path);
        var options = parsed.CommandResult.Command.Options.Where(
            o => parsed.IsGiven(o) && AboutModel.Any(a => o.Name.StartsWith(a, StringComparison.Ordinal))
            && (best.Tuning is null || !o.Name.StartsWith(CheckpointFlags.Prefix, StringComparison.Ordinal)));
        var model = models.First(m => m.Tuning == best.Tuning).Model;
        string pipeline = best.Tuning is not null && model.NamedPipeline is string root ? CheckpointFlags.InPipeline(root) : "";
        return FoundCommands.Of(model.Path!, path, isOwn: false, $"the best, {best.Name}",
            isFlow: models[0].Model.IsFlow, options: ModelFlags.Said(parsed, options) + pipeline);
    }

    public void Write(TerminalOutput terminal, ParseResult parsed, Summary summary) =>
        ExperimentOutput.Write(terminal, parsed.GetValue(Measured.Json), summary, parsed.GetRequiredValue(_output));
}

/// <summary>Where the verbs that measure write what they found, and how they tell of it.</summary>
internal static class ExperimentOutput
{
    public static Option<string> Option(Command command, string usual) => command.Option(
        "--out", $"Folder for {string.Join(", ", SummaryExporter.All.Select(e => e.FileName))} and {MeasurementStore.FileName}; what lies "
            + $"there already is not measured again.", usual, "folder");

    public static void Write(TerminalOutput terminal, bool json, Summary summary, string folder)
    {
        Report.Write(summary, folder);
        terminal.Result(json, summary, console => ReportTables.Show(console, summary, Path.Combine(folder, Report.FileName)));
    }
}
