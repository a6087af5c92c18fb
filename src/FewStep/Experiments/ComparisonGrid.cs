using FewStep.Noise;
using FewStep.Platform;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>Which solver gets how many steps at each number of evaluations (or of steps) that a comparison is about.</summary>
internal sealed class ComparisonGrid
{
    private readonly ComparisonOptions _options;
    private readonly Dictionary<(ISolver, ScheduleTerminal, int), int> _costs = [];

    private ComparisonGrid(ComparisonOptions options) => _options = options;

    /// <summary>Solver and steps at each number, by number and then in the order of the solvers.</summary>
    public IReadOnlyList<ComparisonSlot> Slots { get; private set; } = [];

    /// <summary>What is impossible, and why.</summary>
    public IReadOnlyList<ComparisonLeftOutSummary> LeftOut { get; private set; } = [];

    /// <summary>Maps numbers to steps.</summary>
    /// <exception cref="InvalidInputException">No solver can make any of the numbers.</exception>
    public static ComparisonGrid Create(ComparisonOptions options)
    {
        var grid = new ComparisonGrid(options);
        var all = options.Numbers.SelectMany(n => options.Solvers.Select(s => (Number: n, Solver: s, Steps: options.Axis == ComparisonAxis.Steps ? n : SolverCost.StepsFor(s, n)))).ToList();
        grid.Slots = [.. all.Where(a => a.Steps is not null).Select(a => new ComparisonSlot(a.Number, a.Solver, a.Steps!.Value))];
        grid.LeftOut = [.. all.Where(a => a.Steps is null).Select(a => new ComparisonLeftOutSummary(a.Number, a.Solver.Name, FormattableString.Invariant($"no number of steps takes {a.Number} evaluation{(a.Number == 1 ? "" : "s")}")))];
        return grid.Slots.Count > 0
            ? grid
            : throw new InvalidInputException(
                $"None of the solvers ({string.Join(", ", options.Solvers.Select(s => s.Name))}) makes {Or(options.Numbers)} evaluations: solvers of two stages a step need even numbers. Choose other numbers, or compare by steps.");
    }

    /// <summary>Where a schedule that has its own number of steps fits.</summary>
    /// <param name="given">The schedule.</param>
    /// <exception cref="InvalidInputException">It fits nowhere.</exception>
    public IReadOnlyList<ComparisonSlot> Fitting(ComparisonSchedule.Given given)
    {
        int steps = given.Schedule.Steps;
        ComparisonSlot[] slots = [.. _options.Solvers.Select(s => new ComparisonSlot(_options.Axis == ComparisonAxis.Steps ? steps : Cost(s, given.Schedule), s, steps)).Where(s => _options.Numbers.Contains(s.Number))];
        if (slots.Length > 0)
        {
            return slots;
        }

        string own = _options.Axis == ComparisonAxis.Steps
            ? FormattableString.Invariant($"the comparison is at {Or(_options.Numbers)} steps")
            : FormattableString.Invariant($"with these solvers they take {Or([.. _options.Solvers.Select(s => Cost(s, given.Schedule)).Distinct().Order()])} evaluations, and the comparison is at {Or(_options.Numbers)}");
        throw new InvalidInputException(FormattableString.Invariant($"Schedule {given.Name} has {steps} step{(steps == 1 ? "" : "s")}: {own}; leave it out or add its number."));
    }

    /// <summary>Evaluations an image of a run.</summary>
    public int Cost(ISolver solver, SamplingSchedule schedule)
    {
        var key = (solver, schedule.Terminal, schedule.Steps);
        return _costs.TryGetValue(key, out int known) ? known : _costs[key] = SolverCost.Evaluations(solver, schedule.Steps, schedule.Terminal);
    }

    private static string Or(IReadOnlyList<int> numbers) => numbers.Count == 1 ? numbers[0].ToString(System.Globalization.CultureInfo.InvariantCulture) : $"{string.Join(", ", numbers.SkipLast(1))} or {numbers[^1]}";
}

/// <summary>A solver at one number of the comparison.</summary>
/// <param name="Number">Evaluations an image, or steps.</param>
/// <param name="Solver">The solver.</param>
/// <param name="Steps">Its steps.</param>
internal sealed record ComparisonSlot(int Number, ISolver Solver, int Steps);
