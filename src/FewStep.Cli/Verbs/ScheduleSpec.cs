using System.Globalization;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary>One entry of <c>--schedules</c>: a schedule for every number of steps, or a file.</summary>
internal abstract record ScheduleSpec(string Text)
{
    private const string Phase1Name = "phase1";

    /// <summary>A schedule that needs no model but its noise levels.</summary>
    public sealed record Standard(string Text, StandardSchedule Schedule) : ScheduleSpec(Text);

    /// <summary>The schedules of least discretization loss.</summary>
    public sealed record Phase1(string Text, PowerWeighting Weighting) : ScheduleSpec(Text);

    /// <summary>A schedule file, which has its own number of steps.</summary>
    public sealed record File(string Text) : ScheduleSpec(Text);

    /// <summary>Reads the values of an option: each a file, or a list with commas.</summary>
    /// <param name="values">What was given.</param>
    /// <returns>Each entry once, in the order given.</returns>
    /// <exception cref="InvalidInputException">A name is unknown.</exception>
    public static IReadOnlyList<ScheduleSpec> Parse(IEnumerable<string> values) =>
    [
        .. values
            .SelectMany(value => System.IO.File.Exists(value) ? [value] : value.Split(',', StringSplitOptions.TrimEntries))
            .Distinct()
            .Select(One),
    ];

    private static ScheduleSpec One(string text)
    {
        if (ScheduleChoice.IsFile(text))
        {
            return new File(text);
        }

        string[] parts = text.Split(':', 2);
        if (parts[0] != Phase1Name)
        {
            try
            {
                return new Standard(text, StandardSchedules.Find(text));
            }
            catch (InvalidInputException e)
            {
                throw new InvalidInputException($"{e.Message} Or {Phase1Name} (with a power: {Phase1Name}:1), or a schedule file.", e);
            }
        }

        double power = PowerWeighting.DefaultPower;
        if (parts.Length == 2 && !double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out power))
        {
            throw new InvalidInputException($"Schedule '{text}': what follows the colon must be the power, as in {Phase1Name}:1.");
        }

        return new Phase1(text, new PowerWeighting(power));
    }
}
