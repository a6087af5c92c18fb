using FewStep.Denoising;
using FewStep.Metrics;

namespace FewStep.Tests.Metrics;

/// <summary>The mean of each row of 8x8 pixels as features, and of each half of them as class scores.</summary>
internal sealed class RowFeatures(string hash = "a", float add = 0) : IClassScorer
{
    /// <summary>Batches so far.</summary>
    public int Calls { get; private set; }

    public string Name => "FD (rows)";

    public string FeatureName => "rows";

    public int Dimension => 8;

    public int Classes => 2;

    public ImageShape Shape { get; } = new(1, 8, 8);

    public string Hash { get; } = string.Concat(Enumerable.Repeat(hash, 64));

    public Tensor Extract(Tensor images)
    {
        Calls++;
        return images.mean([1, 3]) + add;
    }

    public Tensor ClassLogits(Tensor features) => features.reshape(-1, 2, 4).mean([2]);

    public void Dispose()
    {
        // There are no weights.
    }
}
