using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>A schedule that somebody chose: a standard one, what an optimiser finds for the model, or a file's.</summary>
internal abstract record ScheduleChoice(string Name)
{
    public abstract ScheduleSource Source { get; }

    /// <summary>A schedule for every number of steps that needs no model but its noise levels.</summary>
    public sealed record Standard(string Name, StandardSchedule Schedule) : ScheduleChoice(Name)
    {
        public override ScheduleSource Source => ScheduleSource.Standard;
    }

    /// <summary>What an optimiser finds for the model, and where it says so for each solver.</summary>
    public sealed record Searched(string Name, ScheduleOptimizerChoice Optimizer) : ScheduleChoice(Name)
    {
        public override ScheduleSource Source => Optimizer.Source;
    }

    /// <summary>A schedule as it was given, which has its own number of steps, with the solver that it was made for where that is
    /// known.</summary>
    public sealed record Given(
        string Name, SamplingSchedule Schedule, ISolver? Solver = null, SamplerOrigin? Origin = null) : ScheduleChoice(Name)
    {
        /// <summary>The file that it is from, as <c>folder/name</c>; null where it is from none.</summary>
        public string? File { get; init; }

        public override ScheduleSource Source => ScheduleSource.Given;
    }

    public static ScheduleChoice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (IsFile(text))
        {
            var file = SamplerFile.Read(text);
            return new Given(SamplerFile.NameOf(text), file.Schedule, file.Solver, file.Origin) { File = SamplerFile.LabelOf(text) };
        }

        string head = text.Split(':', 2)[0];
        if (ScheduleOptimizerCatalog.Names.Contains(head))
        {
            var optimizer = ScheduleOptimizerCatalog.Find(text);
            return new Searched(optimizer.Text, optimizer);
        }

        return StandardSchedules.Names.Contains(head)
            ? new Standard(text, StandardSchedules.Find(text))
            : throw new InvalidInputException(
                $"There is no schedule '{Printable.Line(text, 40)}'. Choose one of {string.Join(", ", StandardSchedules.Names)}, "
                + $"or an optimiser ({string.Join(", ", ScheduleOptimizerCatalog.Names)}), or a file of sigmas."
                + Suggestion.For(head, [.. StandardSchedules.Names, .. ScheduleOptimizerCatalog.Names]));
    }

    public static IReadOnlyList<ScheduleChoice> ParseAll(IEnumerable<string> values)
    {
        var choices = new List<ScheduleChoice>();
        foreach (string text in values.SelectMany(v => File.Exists(v) ? [v] : v.Split(',', StringSplitOptions.TrimEntries)).Distinct())
        {
            var choice = Parse(text);
            string name = choice.Name;
            for (int copy = 2; choices.Any(c => c.Name == name); copy++)
                name = InvariantText.Of($"{choice.Name} ({copy})");
            choices.Add(choice with { Name = name });
        }

        return choices;
    }

    internal static bool IsFile(string text) =>
        text.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || text.Contains(Path.DirectorySeparatorChar) || File.Exists(text);
}

/// <summary>A sampler that somebody chose: a file, or schedule, solver and steps in short, e.g. <c>karras/ipndm:3/6</c>.</summary>
internal sealed record SamplerChoice(ScheduleChoice Schedule, ISolver? Solver, int? Steps)
{
    private const char Separator = '/';

    /// <summary>The sampler to take where nobody chose and the model has none.</summary>
    internal static SamplerChoice Usual { get; } = new(
        new ScheduleChoice.Standard(StandardSchedules.Usual.Name, StandardSchedules.Usual), SolverCatalog.Find("ipndm:3"), 8);

    /// <summary>Reads a file, or the short form <c>schedule/solver/steps</c>.</summary>
    public static SamplerChoice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || File.Exists(text))
            return Of(ScheduleChoice.Parse(text), null, null);
        return text.Split(Separator) is [var schedule, var solver, var steps]
            && int.TryParse(steps, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? Of(ScheduleChoice.Parse(schedule), SolverCatalog.Find(solver), number)
            : throw new InvalidInputException(
                $"'{Printable.Line(text, 80)}' is no sampler: give a file of one, or schedule{Separator}solver{Separator}steps, e.g. "
                    + $"{Usual}.");
    }

    /// <summary>Puts a choice together from its parts.</summary>
    public static SamplerChoice Of(ScheduleChoice schedule, ISolver? solver, int? steps)
    {
        if (steps < 1)
            throw new InvalidInputException($"The number of steps is {steps}; it must be 1 or more.");
        return schedule switch
        {
            ScheduleChoice.Given given when steps is null || steps == given.Schedule.Steps
                => new SamplerChoice(given, solver ?? given.Solver, given.Schedule.Steps),
            ScheduleChoice.Given given => throw new InvalidInputException(
                $"{given.Name} has {given.Schedule.Steps} steps, not {steps}; leave the number of steps out."),
            _ => new SamplerChoice(
                schedule, solver, steps ?? throw new InvalidInputException($"Schedule {schedule.Name} needs a number of steps, e.g. 4.")),
        };
    }

    /// <summary>The sampler, where no search is needed for it.</summary>
    internal Sampler? Make(double sigmaMin, double sigmaMax, ISolver usual)
    {
        var solver = Solver ?? usual;
        return Schedule switch
        {
            ScheduleChoice.Given { Origin: { } origin } given
                => new Sampler(given.Schedule, solver) { Origin = solver.Equals(given.Solver) ? origin : origin.OfSigmas },
            ScheduleChoice.Given given => new Sampler(given.Schedule, solver) { Origin = new SamplerOrigin { Schedule = given.Name } },
            ScheduleChoice.Standard standard => new Sampler(standard.Schedule.Create(Steps!.Value, sigmaMin, sigmaMax), solver)
            {
                Origin = new SamplerOrigin { Schedule = standard.Name, Source = standard.Source },
            },
            _ => null,
        };
    }

    /// <summary>The same, for models that its solver was not fitted to as well.</summary>
    public SamplerChoice ForAnyModel() => Schedule is ScheduleChoice.Given { Origin: { } origin } given
        ? this with { Schedule = given with { Origin = origin with { IsForAnyModel = true } } } : this;

    /// <summary>The same for a model: over the range of its schedules, or within the noise levels that it was made for.</summary>
    internal Sampler? MakeFor(Model model, ISolver usual) => MakeFor(model.Denoiser, model.ScheduleRange, usual);

    internal Sampler? MakeFor(IDenoiser denoiser, ScheduleRange range, ISolver usual)
    {
        var sampler = Make(range.SigmaMin, range.SigmaMax, usual);
        if (sampler is not null)
            ScheduleRange.Check(sampler.Schedule, Schedule.Name, denoiser);
        return sampler;
    }

    public override string ToString() => InvariantText.Of($"{Schedule.Name}{Separator}{Solver?.Name}{Separator}{Steps}");
}
