using FewStep.Networks;

namespace FewStep.Sampling;

/// <summary>Where images are compared: how far a fit's or a tuning's images are from the teacher's is a mean square in it.</summary>
internal interface IImageEmbedding : IDisposable
{
    /// <summary>What is compared, e.g. <c>pixels</c>.</summary>
    string Name { get; }

    /// <summary>What tells it from all others, for what is stored.</summary>
    string Identity { get; }

    /// <summary>Embeds images, with gradients where they are enabled.</summary>
    /// <param name="images">Images [B,C,H,W], float32 in [-1,1].</param>
    /// <returns>[B,d], float32; belongs to the current dispose scope.</returns>
    Tensor Embed(Tensor images) => EmbedWithSummary(images).All;

    /// <summary>The same, and what of it tells of an image as a whole.</summary>
    /// <returns>[B,d] and [B,k], float32; they belong to the current dispose scope.</returns>
    (Tensor All, Tensor Summary) EmbedWithSummary(Tensor images);
}

/// <summary>Images as they are: distances are those of pixels.</summary>
internal sealed class PixelEmbedding : IImageEmbedding
{
    public string Name => "pixels";
    public string Identity => Name;

    public (Tensor All, Tensor Summary) EmbedWithSummary(Tensor images)
    {
        var all = images.flatten(1);
        return (all, all);
    }

    public void Dispose()
    {
    }
}

/// <summary>Pixels and the activations of a network, each position's channels scaled to length one as LPIPS does (1801.03924). All parts
/// count alike, whatever their size.</summary>
internal abstract class PerceptualEmbedding : IImageEmbedding
{
    private const double Tiny = 1e-10;

    public abstract string Name { get; }
    public abstract string Identity { get; }

    // The means and deviations of the last activations are the summary.
    public (Tensor All, Tensor Summary) EmbedWithSummary(Tensor images)
    {
        using var scope = NewDisposeScope();
        Tensor[] parts = [images.flatten(1), .. Activations(images).SelectMany(Parts)];
        double length = parts.Sum(p => p.shape[1]);
        var all = cat([.. parts.Select(p => p.Times(Math.Sqrt(length / p.shape[1] / parts.Length)))], 1);
        return (all.MoveToOuterDisposeScope(), parts[^1].MoveToOuterDisposeScope());
    }

    public abstract void Dispose();

    /// <returns>[B,C,H,W] each; they belong to the current dispose scope.</returns>
    protected abstract IReadOnlyList<Tensor> Activations(Tensor images);

    /// <summary>Means and deviations over positions of a network's activations, which an image that is blurred cannot have.</summary>
    /// <param name="activations">[B,C,H,W].</param>
    /// <returns>[B,2C]; belongs to the current dispose scope.</returns>
    public static Tensor Summarize(Tensor activations) => MeansAndDeviations(Unit(activations));

    private static IEnumerable<Tensor> Parts(Tensor activations)
    {
        var unit = Unit(activations);
        return [unit.flatten(1), MeansAndDeviations(unit)];
    }

    private static Tensor Unit(Tensor x) =>
        (x * x.Squared().sum([1L], keepdim: true).Plus(Tiny).rsqrt()).Times(Math.Sqrt(x.shape[1])).flatten(2);

    private static Tensor MeansAndDeviations(Tensor unit)
    {
        var mean = unit.mean([2L], keepdim: true);
        var deviation = (unit - mean).Squared().mean([2L]).Plus(Tiny).sqrt();
        return cat([mean.flatten(1), deviation], 1).Times(2);
    }
}

/// <summary>Images as the model's own encoder sees them, without noise: no second network.</summary>
/// <param name="sigma">The noise level that the network is told.</param>
internal sealed class EncoderEmbedding(NetworkDenoiser network, double sigma) : PerceptualEmbedding
{
    public override string Name => "pixels and the model's own activations";
    public override string Identity => FormattableString.Invariant($"encoder {sigma:R}");

    public override void Dispose()
    {
    }

    protected override IReadOnlyList<Tensor> Activations(Tensor images) => network.Encode(images, sigma);
}
