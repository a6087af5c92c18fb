using System.Xml.Linq;
using FewStep.Reporting;

namespace FewStep.Studio;

/// <summary>A sampler, as the page shows it.</summary>
/// <param name="Text">Schedule, solver and steps.</param>
/// <param name="Base">The solver whose steps are corrected; null for one that is not fitted.</param>
/// <param name="Weights">The chart of a fitted sampler's weights, as markup that the page reads and never as a script; null for
/// others.</param>
/// <param name="About">Where it comes from, in a sentence.</param>
internal sealed record SamplerAnswer(
    string Text, string Schedule, string Solver, string? Base, int Steps, IReadOnlyList<double> Sigmas, ScheduleTerminal Terminal,
    string? Weights, string About)
{
    public static SamplerAnswer Of(Sampler sampler, Side side)
    {
        var fitted = sampler.Solver as FittedSolver;
        var weights = fitted is null ? null : FitPage.Weights($"side-{side}", sampler, fitted);
        return new SamplerAnswer(
            $"{sampler}", sampler.Origin.Schedule ?? "sigmas", sampler.Solver.Name, fitted?.Base.Name, sampler.Steps,
            [.. sampler.Schedule.Sigmas], sampler.Schedule.Terminal, weights?.ToString(SaveOptions.DisableFormatting), Tell(sampler));
    }

    private static string Tell(Sampler sampler)
    {
        var origin = sampler.Origin;
        string where = origin.Source switch
        {
            ScheduleSource.Standard => $"Sigmas of the standard schedule {origin.Schedule}",
            ScheduleSource.Given => origin.Schedule == "studio" ? "Sigmas as they were set here" : $"Sigmas of {origin.Schedule}",
            _ => $"Sigmas found by {origin.Schedule}",
        };
        if (origin.Match is { } match)
        {
            return InvariantText.Of($"{where}; matched to {match.Images:N0} real images by {match.Features}: Fréchet distance ")
                + $"{NumberText.Significant(match.After, 3)}, {NumberText.Significant(match.Before, 3)} before.";
        }

        return origin.Fit is { } fit
            ? InvariantText.Of($"{where}; the solver's weights were fitted on {fit.Latents} latents to {fit.Teacher}: RMS at the end ")
                + $"{Root(fit.HeldOut.Value)}, {Root(fit.Base.Value)} without."
            : $"{where}.";
    }

    private static string Root(double square) => NumberText.Significant(Math.Sqrt(Math.Max(0, square)), 3);
}
