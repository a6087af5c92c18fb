using System.CommandLine;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Solvers;

namespace FewStep.Cli.Verbs;

/// <summary>The options of <c>fewstep evaluate</c>.</summary>
internal sealed class EvaluateOptions() : MeasurementOptions(samples: 5000)
{
    private MetricFlags? _metrics;

    public Option<string[]> Model { get; } = new("--model")
    {
        Description = "Model folder, a network pickle of NVlabs/edm, or an ONNX file. Repeat it for tuned models, with a name for the table: --model trajectory=folder.",
        DefaultValueFactory = _ => [EmbeddedDefault.Model],
        HelpName = "folder",
    };

    public Option<string> Output { get; } = new("--out")
    {
        Description = $"Folder for {RunSummaryFile.Name}, metrics.csv, report.html and {EvaluationStore.Name}; a comparison found there is resumed.",
        DefaultValueFactory = _ => Path.Combine("runs", "evaluation"),
        HelpName = "folder",
    };

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

    /// <summary>Metrics beside the classifier's Fréchet distance.</summary>
    public MetricFlags Metrics => _metrics ??= new MetricFlags(Classifier);

    /// <summary>Adds the options to the verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Model, Schedules, Steps, Solver, TunedSchedules, TunedSteps, ShownSteps, Teacher, TeacherSteps, TeacherSolver, Output })
        {
            command.Add(option);
        }

        AddSharedTo(command);
        Metrics.AddTo(command);
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
}
