using FewStep.Experiments;

namespace FewStep.Studio;

/// <summary>Several experiments as one, whose report then shows all their trials in the same tables and charts.</summary>
internal static class ComparedRuns
{
    /// <exception cref="InvalidInputException">They count different things, or have no figure in common.</exception>
    public static Summary Together(IReadOnlyList<(string Name, Summary Summary)> runs)
    {
        var first = runs[0].Summary;
        if (runs.FirstOrDefault(r => r.Summary.Axis != first.Axis) is { Name: { } other })
        {
            throw new InvalidInputException($"{Printable.Text(other)} compares at equal {Words(runs.First(r => r.Name == other).Summary)}, "
                + $"{Printable.Text(runs[0].Name)} at equal {Words(first)}; compare runs of one kind.");
        }

        // Figures on other features, or against other images, are others whatever they are called.
        FigureSummary[] figures = [.. first.Figures.Where(f => runs.All(r => r.Summary.Figures.Any(
            g => (g.Key, g.FeatureHash, g.ReferenceHash) == (f.Key, f.FeatureHash, f.ReferenceHash))))];
        if (figures.Length == 0)
        {
            throw new InvalidInputException("These runs have no figure in common: a figure is the same where features and reference images "
                + "are.");
        }

        TrialSummary[] trials = [.. runs.SelectMany(r => r.Summary.Trials.Select(t => Renamed(t, r.Name)))];
        return first with
        {
            Title = $"{string.Join(", ", runs.Select(r => r.Name))}",
            Figures = figures,
            Trials = Experiments.Verdicts.Judge(trials, figures),
            ImageStrips = [.. runs.SelectMany(r => r.Summary.ImageStrips.Select(
                s => s with { Label = Of(s.Label, r.Name), Path = $"{r.Name}/{s.Path}" }))],
            LeftOut = [],
            Searches = [],
            TuningRounds = [],
            Ledger = [],
            Commands = [],
            // Each was run by a command of its own.
            Manifest = first.Manifest with
            {
                CommandLine = null,
                Options = runs.Where(r => r.Summary.Manifest.CommandLine is not null)
                    .ToDictionary(r => r.Name, r => r.Summary.Manifest.CommandLine!),
                Started = default,
                Seconds = 0,
            },
            LossCurve = runs.All(r => r.Summary.Model?.Hash == first.Model?.Hash) ? first.LossCurve : null,
            Warnings = [.. runs.SelectMany(r => r.Summary.Warnings.Select(w => Of(w, r.Name))), .. Differences(runs)],
        };
    }

    private static TrialSummary Renamed(TrialSummary trial, string run) => trial with
    {
        Name = Of(trial.Name, run),
        Schedule = trial.Schedule is null ? null : Of(trial.Schedule, run),
        Role = trial.Role == TrialRole.Teacher ? TrialRole.Teacher : TrialRole.Comparison,
    };

    private static IEnumerable<string> Differences(IReadOnlyList<(string Name, Summary Summary)> runs)
    {
        if (runs.Select(r => r.Summary.Seeds).Distinct().Count() > 1)
        {
            yield return "The runs have different seeds or numbers of images: where numbers differ a Fréchet distance differs with "
                + "them, and only seeds that two runs share are compared pair by pair.";
        }

        if (runs.Select(r => r.Summary.Model?.Hash).Distinct().Count() > 1)
            yield return "The runs began with different models.";
    }

    private static string Of(string text, string run) => $"{run}: {text}";
    private static string Words(Summary summary) => summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps";
}
