using System.CommandLine;
using FewStep.Noise;
using FewStep.Runs;
using FewStep.Runtime;
using FewStep.Sampling;
using FewStep.Solvers;
using SeedRange = FewStep.Evaluation.SeedRange;

namespace FewStep.Cli.Verbs;

/// <summary>The options of <c>fewstep evaluate</c>.</summary>
internal sealed class EvaluateOptions
{
    public Option<string[]> Model { get; } = new("--model")
    {
        Description = "Model folder, or a network pickle of NVlabs/edm. Repeat it for tuned models, with a name for the table: --model trajectory=folder.",
        DefaultValueFactory = _ => [EmbeddedDefault.Model],
        HelpName = "folder",
    };

    public Option<string> Data { get; } = SharedOptions.Data();

    public Option<string?> Reference { get; } = new("--reference") { Description = "Real images to compare with; left out, the test split of --data.", HelpName = "path" };

    public Option<string> Classifier { get; } = new("--classifier")
    {
        Description = "Folder of the classifier whose features define the distance.",
        DefaultValueFactory = _ => EmbeddedDefault.Classifier,
        HelpName = "folder",
    };

    public Option<string?> Curve { get; } = new("--curve") { Description = "A loss-curve.json to use instead of measuring one for Phase 1.", HelpName = "file" };

    public LossCurveFlags CurveFlags { get; } = new();

    public Option<string> Output { get; } = new("--out")
    {
        Description = $"Folder for {RunSummaryFile.Name}, metrics.csv, report.html and {EvaluationStore.Name}; a comparison found there is resumed.",
        DefaultValueFactory = _ => Path.Combine("runs", "evaluation"),
        HelpName = "folder",
    };

    public Option<int> Batch { get; } = new("--batch") { Description = "Images sampled at a time.", DefaultValueFactory = _ => 100 };

    public Option<TorchSharp.torch.ScalarType> Dtype { get; } = SharedOptions.Dtype();

    public Option<long> Seed { get; } = SharedOptions.Seed();

    public Option<int> Threads { get; } = SharedOptions.Threads();

    public Option<bool> Json { get; } = SharedOptions.Json();

    private Option<string[]> Schedules { get; } = new("--schedules")
    {
        Description = $"Schedules, separated by commas: {string.Join(", ", StandardSchedules.Names)}, phase1 (phase1:1 sets the power), and schedule files, which have their own number of steps.",
        DefaultValueFactory = _ => ["karras,log-snr,uniform-t,cosine,phase1,phase1:1"],
        HelpName = "list",
    };

    private Option<string> Steps { get; } = new("--steps") { Description = "Numbers of solver steps.", DefaultValueFactory = _ => "3,4,5,6,8,10", HelpName = "list" };

    private Option<string> Solver { get; } = new("--solver") { Description = $"Solvers, separated by commas: {string.Join(", ", SolverCatalog.Names)}.", DefaultValueFactory = _ => "euler", HelpName = "list" };

    private Option<string?> TunedSchedules { get; } = new("--tuned-schedules") { Description = "Of --schedules, those that tuned models are measured on; left out, all.", HelpName = "list" };

    private Option<string?> TunedSteps { get; } = new("--tuned-steps") { Description = "Of --steps, those that tuned models are measured at; left out, all.", HelpName = "list" };

    private Option<int?> ShownSteps { get; } = new("--shown-steps") { Description = "Number of steps that headline and images are about; left out, 4, or the fewest." };

    private Option<string?> Teacher { get; } = new("--teacher") { Description = "A fine schedule to show beside, a name or file, sampled with the first model.", HelpName = "schedule" };

    private Option<int?> TeacherSteps { get; } = new("--teacher-steps") { Description = "Its number of steps; a file has its own." };

    private Option<string> TeacherSolver { get; } = new("--teacher-solver") { Description = "Its solver.", DefaultValueFactory = _ => "heun" };

    private Option<int> Samples { get; } = new("--samples") { Description = "Images in a seed range; distances compare only at the same number.", DefaultValueFactory = _ => 5000 };

    private Option<int> Ranges { get; } = new("--ranges") { Description = "Disjoint seed ranges, whose spread is reported.", DefaultValueFactory = _ => 3 };

    private Option<long> FirstSeed { get; } = new("--first-seed") { Description = "Seed of the first image.", DefaultValueFactory = _ => 0 };

    private Option<string> StripSeeds { get; } = new("--strip-seeds") { Description = "Image seeds shown in the report; 'none' for no images.", DefaultValueFactory = _ => "0-9", HelpName = "list" };

    /// <summary>Adds the options to the verb.</summary>
    public void AddTo(Command command)
    {
        Option[] options =
        [
            Model, Schedules, Steps, Solver, Samples, Ranges, FirstSeed, Data, Reference, Classifier, TunedSchedules, TunedSteps, ShownSteps, Teacher, TeacherSteps, TeacherSolver, StripSeeds,
            Output, Batch, Dtype, Seed, Threads, Json, Curve,
        ];
        foreach (var option in options)
        {
            command.Add(option);
        }

        CurveFlags.AddTo(command);
    }

    /// <summary>What to compare.</summary>
    /// <exception cref="InvalidInputException">A value is out of range or unknown.</exception>
    public EvaluationRequest Request(ParseResult parsed)
    {
        var schedules = ScheduleSpec.Parse(parsed.GetRequiredValue(Schedules));
        var solvers = parsed.GetRequiredValue(Solver).Split(',', StringSplitOptions.TrimEntries).Distinct().Select(SolverCatalog.Find).Distinct().ToList();
        var tuned = parsed.GetValue(TunedSchedules) is string list ? ScheduleSpec.Parse([list]).Select(s => s.Text).ToList() : null;
        if (tuned?.FirstOrDefault(t => schedules.All(s => s.Text != t)) is string unknown)
        {
            throw new InvalidInputException($"--tuned-schedules: '{unknown}' is none of --schedules.");
        }

        var steps = NumberList.Steps(parsed.GetRequiredValue(Steps), "--steps");
        return new EvaluationRequest(schedules, [.. steps.Order()], solvers)
        {
            TunedSchedules = tuned,
            TunedSteps = parsed.GetValue(TunedSteps) is string numbers ? NumberList.Steps(numbers, "--tuned-steps") : null,
            ShownSteps = parsed.GetValue(ShownSteps),
            Teacher = parsed.GetValue(Teacher) is string teacher ? (teacher, parsed.GetValue(TeacherSteps), SolverCatalog.Find(parsed.GetRequiredValue(TeacherSolver))) : null,
        };
    }

    /// <summary>The seed ranges.</summary>
    /// <exception cref="InvalidInputException">They are impossible.</exception>
    public IReadOnlyList<SeedRange> SeedRanges(ParseResult parsed)
    {
        var (samples, ranges, first) = (parsed.GetValue(Samples), parsed.GetValue(Ranges), parsed.GetValue(FirstSeed));
        if (samples < 2 || ranges is < 1 or > 1000 || first < 0 || first > Latents.MaximumSeed - ((long)samples * ranges) + 1)
        {
            throw new InvalidInputException(
                $"--samples {samples} --ranges {ranges} --first-seed {first}: a range needs 2 or more images, there are 1 to 1000 ranges, and seeds are 0 to {Latents.MaximumSeed}.");
        }

        return SeedRange.Consecutive(first, samples, ranges);
    }

    /// <summary>The seeds to show; empty for none.</summary>
    /// <exception cref="InvalidInputException">They are too many.</exception>
    public IReadOnlyList<long> Shown(ParseResult parsed)
    {
        string text = parsed.GetRequiredValue(StripSeeds);
        if (text == "none")
        {
            return [];
        }

        var seeds = Sampling.SeedRange.Parse(text);
        return seeds.Count <= ImageStrip.MaximumImages ? seeds : throw new InvalidInputException($"--strip-seeds: at most {ImageStrip.MaximumImages} images fit side by side, not {seeds.Count}.");
    }
}
