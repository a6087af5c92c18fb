using FewStep.Fitting;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Reporting;

/// <summary>The page of a fit: how near each sampler comes to the teacher, what it costs, and its weights as a picture.</summary>
internal static class FitPage
{
    public const string FileName = "fit.html";

    private static readonly ReportTable Columns = new(
        [
            new("sampler", false), new("RMS at the end", true), new("fitted on", true), new("without the fit", true),
            new("evaluations", true), new("seconds", true), new("how", false), new("sigmas", false),
        ], []);

    /// <param name="fits">The samplers with what their fit found, by number of steps.</param>
    public static string Render(string model, FitOptions options, IReadOnlyList<WrittenFit> fits) =>
        HtmlDocument.Render($"{model}: fitted samplers", $"base {options.Solver}, teacher {options.TeacherSolver} in "
            + $"{NumberText.Count(options.TeacherSteps)} steps, {NumberText.Count(options.Latents)} latents",
            [Element.Section("fits", "How near they come", [.. Blocks(options, fits).Select(Element.Of)]),
                .. fits.Select(f => Weights(f.Sampler, f.Result.Stop))]);

    /// <summary>A row a sampler.</summary>
    public static ReportTable Table(IEnumerable<WrittenFit> fits) =>
        Columns with { Rows = [.. fits.Select(f => new ReportRow([.. Cells(f.Result)]))] };

    private static IEnumerable<ReportBlock> Blocks(FitOptions options, IReadOnlyList<WrittenFit> fits)
    {
        yield return new TableBlock(Table(fits), "Fitted samplers");
        yield return new TextBlock(
            "RMS at the end: root mean square difference "
                + (fits[0].Result.Distance == new PixelEmbedding().Name ? "of a value, in [-1, 1], " : $"in {fits[0].Result.Distance}, ")
                + $"from the teacher's image of the same latent, with its 95 % interval over {NumberText.Count(options.HeldOutLatents)} "
                + "held-out latents. Evaluations of the teacher's paths count "
                + "for each "
                + "sampler, though all share them. A small distance is no promise of good images: measure them with evaluate.",
            TextWeight.Note);
    }

    private static IEnumerable<ReportCell> Cells(FittedSchedule r)
    {
        static string Root(double? square)
            => square is double s ? NumberText.Significant(Math.Sqrt(Math.Max(0, s)), 3) : NumberText.Missing;
        yield return new($"{NumberText.Count(r.Schedule.Steps)} steps");
        yield return new(Root(r.HeldOut.Value), $"[{Root(r.HeldOut.Low)}, {Root(r.HeldOut.High)}]");
        yield return new(Root(r.Fitted));
        yield return new(Root(r.Base.Value));
        yield return new(NumberText.Count(r.Evaluations));
        yield return new(NumberText.Significant(r.Seconds, 3));
        yield return new(r.Stop);
        yield return new(string.Join(", ", r.Schedule.Sigmas.Select(s => NumberText.Sigma(s))));
    }

    /// <summary>The section of a sampler: its weights as a picture, where it has some.</summary>
    /// <param name="stop">Why it has none, otherwise.</param>
    public static XElement Weights(Sampler sampler, string stop)
    {
        string id = $"n{NumberText.Count(sampler.Steps)}", heading = $"{NumberText.Count(sampler.Steps)} steps";
        return Element.Section(id, heading, sampler.Solver is FittedSolver fitted ? Weights(id, sampler, fitted)
            : new XElement("p", $"The base solver is kept: {stop}."));
    }

    /// <summary>A fitted or matched sampler's weights as a picture.</summary>
    /// <param name="id">What tells the picture from others on its page.</param>
    public static XElement Weights(string id, Sampler sampler, FittedSolver fitted)
    {
        var (own, plain) = (Outputs(fitted, sampler.Schedule), Outputs(fitted.Base, sampler.Schedule));
        double[] levels = [.. Enumerable.Range(0, own[^1].Length)
            .Select(j => sampler.Schedule.Sigmas[Math.Min(j / fitted.EvaluationsPerStep, sampler.Steps)])];
        return Figure.Build(
            size => WeightsChart.Draw($"weights-{id}", levels, own, plain, size),
            "What each state is made of: the weight of every output of the denoiser so far, at the noise level where it was taken; the "
                + "last row "
                + "is the image. Sampling runs from right to left.",
            (Figure.LineSample("bar m1"), sampler.Origin.Match is null ? "fitted" : "matched"),
            (Figure.LineSample("bar standard"), $"{fitted.Base.Name} on the same sigmas"));
    }

    // Without the start, which at the end counts for next to nothing.
    private static double[][] Outputs(ISolver solver, SamplingSchedule schedule) =>
        [.. OutputWeights.Of(solver, schedule).Select((row, i) => row[1..(1 + ((i + 1) * solver.EvaluationsPerStep))])];
}
