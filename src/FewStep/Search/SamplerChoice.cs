using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

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
            ScheduleChoice.Given given
                => new Sampler(given.Schedule, solver) { Origin = given.Origin ?? new SamplerOrigin { Schedule = given.Name } },
            ScheduleChoice.Standard standard => new Sampler(standard.Schedule.Create(Steps!.Value, sigmaMin, sigmaMax), solver)
            {
                Origin = new SamplerOrigin { Schedule = standard.Name, Source = standard.Source },
            },
            _ => null,
        };
    }

    /// <summary>The same for a model, whose noise levels it must keep to.</summary>
    internal Sampler? MakeFor(IDenoiser denoiser, ISolver usual)
    {
        var sampler = Make(denoiser.SigmaMin, denoiser.SigmaMax, usual);
        if (sampler is not null)
            ScheduleRange.Check(sampler.Schedule, Schedule.Name, denoiser);

        return sampler;
    }

    public override string ToString() => FormattableString.Invariant($"{Schedule.Name}{Separator}{Solver?.Name}{Separator}{Steps}");
}
