using System.CommandLine;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>The options of <c>fewstep compare</c>.</summary>
internal sealed class CompareOptions() : MeasurementOptions(samples: 1000)
{
    private const string Distance = "fd", Endpoint = "endpoint";

    public Option<string> Model { get; } = SharedOptions.Model(", or an ONNX file");

    public Option<string> Output { get; } = new("--out")
    {
        Description = $"Folder for {Report.FileName}, {ComparisonSummaryFile.Name}, the schedules and {EvaluationStore.Name}; a comparison found there is resumed.",
        DefaultValueFactory = _ => Path.Combine("runs", "compare"),
        HelpName = "folder",
    };

    private Option<string> Solvers { get; } = new("--solvers") { Description = "Solvers, separated by commas, as sample --solver takes them.", DefaultValueFactory = _ => "euler,heun,dpmpp:2,unipc:3,ipndm:3", HelpName = "list" };

    private Option<string[]> Schedules { get; } = new("--schedules")
    {
        Description = $"Schedules, separated by commas: {string.Join(", ", StandardSchedules.Names)}; optimisers, which search on the model: {string.Join(", ", ScheduleOptimizerCatalog.Names)}; and schedule files.",
        DefaultValueFactory = _ => ["karras,log-snr,phase1,gits,endpoint"],
        HelpName = "list",
    };

    private Option<string> Evaluations { get; } = new("--nfe") { Description = "Network evaluations an image to compare at; each solver gets the steps that take as many.", DefaultValueFactory = _ => "4,6,8,10", HelpName = "list" };

    private Option<string?> Steps { get; } = new("--steps") { Description = "Numbers of solver steps to compare at, whatever they cost, in place of --nfe.", HelpName = "list" };

    private Option<string> Metrics { get; } = new("--metrics") { Description = $"What to measure: {Distance} (distance to real images), {Endpoint} (distance to the teacher's endpoints), or both.", DefaultValueFactory = _ => $"{Distance},{Endpoint}", HelpName = "list" };

    private Option<string> Teacher { get; } = new("--teacher") { Description = "The fine sampler: solver, schedule and steps, or solver and schedule file.", DefaultValueFactory = _ => FormattableString.Invariant($"heun:karras:{ComparisonTeacher.DefaultSteps}"), HelpName = "solver:schedule:steps" };

    private Option<bool> Transfer { get; } = new("--transfer") { Description = "Measure schedules found for one solver with the others too.", DefaultValueFactory = _ => true };

    private Option<int?> ShownEvaluations { get; } = new("--shown-nfe") { Description = "Which of --nfe (or --steps) the pictures are about; left out, 4, or the least." };

    private Option<int?> SearchImages { get; } = new("--search-images") { Description = "Latents of each search with trajectories; left out, the optimiser's own number." };

    /// <summary>Adds the options to the verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Model, Solvers, Schedules, Evaluations, Steps, Metrics, Teacher, Transfer, SearchImages, ShownEvaluations, Output })
        {
            command.Add(option);
        }

        AddSharedTo(command);
    }

    /// <summary>What to measure.</summary>
    /// <exception cref="InvalidInputException">A metric is unknown, or there is none.</exception>
    public (bool Distance, bool Endpoint) Measured(ParseResult parsed)
    {
        string[] names = parsed.GetRequiredValue(Metrics).Split(',', StringSplitOptions.TrimEntries);
        return names.Except([Distance, Endpoint]).FirstOrDefault() is string unknown
            ? throw new InvalidInputException($"--metrics: there is no metric '{unknown}'; choose {Distance}, {Endpoint} or {Distance},{Endpoint}.")
            : (names.Contains(Distance), names.Contains(Endpoint));
    }

    /// <summary>What to compare on a model.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="ranges">The seeds.</param>
    /// <param name="denoiser">The model, for its noise levels.</param>
    /// <exception cref="InvalidInputException">A solver, schedule, optimiser or number is unknown or out of range.</exception>
    public ComparisonOptions Comparison(ParseResult parsed, IReadOnlyList<SeedRange> ranges, IDenoiser denoiser)
    {
        bool bySteps = parsed.GetValue(Steps) is not null;
        if (bySteps && parsed.GetResult(Evaluations) is { Implicit: false })
        {
            throw new InvalidInputException("--nfe and --steps exclude each other: give the evaluations or the steps to compare at.");
        }

        var numbers = bySteps ? NumberList.Steps(parsed.GetValue(Steps)!, "--steps") : NumberList.Steps(parsed.GetRequiredValue(Evaluations), "--nfe");
        if (parsed.GetValue(ShownEvaluations) is int shown && !numbers.Contains(shown))
        {
            throw new InvalidInputException($"--shown-nfe {shown} is none of the numbers that are measured ({string.Join(", ", numbers)}).");
        }

        return new ComparisonOptions
        {
            Folder = parsed.GetRequiredValue(Output),
            Solvers = [.. parsed.GetRequiredValue(Solvers).Split(',', StringSplitOptions.TrimEntries).Select(SolverCatalog.Find).DistinctBy(s => s.Name)],
            Schedules = CompareSchedules.Parse(parsed.GetRequiredValue(Schedules)),
            Axis = bySteps ? ComparisonAxis.Steps : ComparisonAxis.Evaluations,
            Numbers = [.. numbers.Order()],
            Ranges = ranges,
            Teacher = Measured(parsed).Endpoint ? CompareTeacher.Parse(parsed.GetRequiredValue(Teacher), denoiser) : null,
            Transfer = parsed.GetValue(Transfer),
            ShownNumber = parsed.GetValue(ShownEvaluations),
            ShownSeeds = Shown(parsed),
            BatchSize = BatchSize(parsed),
            SearchImages = parsed.GetValue(SearchImages),
        };
    }
}
