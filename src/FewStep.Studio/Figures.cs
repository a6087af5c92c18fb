using FewStep.Metrics;

namespace FewStep.Studio;

/// <summary>How far the images of the sides end from the fine teacher's of the same seeds: the figure <c>endpoint</c>, with two-sided 95 %
/// intervals over the seeds (Student's t). Null where it is not known.</summary>
/// <param name="A">The left sampler.</param>
/// <param name="B">The right one.</param>
/// <param name="Difference">B less A, seed by seed.</param>
internal sealed record Figures(Figure? A, Figure? B, Figure? Difference)
{
    public static Figures Of(double[]? a, double[]? b)
    {
        var pairs = a is null || b is null ? null : PairedRanges.Compare(a, b);
        return new Figures(One(a), One(b), pairs is null ? null : new Figure(pairs.Mean, pairs.HalfWidth));
    }

    private static Figure? One(double[]? distances) => distances switch
    {
        null => null,
        [var single] => new Figure(single, null),
        _ => MeanEstimate.Of(distances) is var mean ? new Figure(mean.Value, mean.HalfWidth) : null,
    };
}

/// <summary>A mean with the half-width of its interval; null for one seed.</summary>
internal sealed record Figure(double Mean, double? HalfWidth);
