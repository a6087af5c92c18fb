namespace FewStep.Networks;

/// <summary>How raw latents of an autoencoder become those that a network denoises, by channel, in place of the autoencoder's own factor:
/// from the means and deviations that they are taken to have, to others.</summary>
/// <param name="Means">Of the raw latents, one for each channel.</param>
/// <param name="Deviations">The same.</param>
/// <param name="Mean">Of the latents that are denoised.</param>
/// <param name="Deviation">The same.</param>
internal sealed record LatentScaling(
    IReadOnlyList<double> Means, IReadOnlyList<double> Deviations, double Mean = 0, double Deviation = 0.5)
{
    /// <summary>Refuses numbers that scale nothing of so many channels.</summary>
    public LatentScaling Checked(int channels) => new OptionRules("The scaling of the latents is invalid")
        .Require(Means.Count == channels && Deviations.Count == channels,
            $"it has {Means.Count} means and {Deviations.Count} deviations for {channels} channels")
        .Require(Means.All(double.IsFinite) && double.IsFinite(Mean), $"its means are no finite numbers")
        .Require(Deviations.Append(Deviation).All(deviation => deviation is >= 1e-6 and <= 1e6), $"its deviations are not in 1e-6..1e6")
        .Check(this);

    /// <summary>What is denoised, of raw latents [B,C,H,W].</summary>
    public Tensor Scaled(Tensor raw) => (raw * Column(Deviations.Select(d => Deviation / d), raw))
        .Plus(Column(Means.Zip(Deviations, (mean, d) => Mean - (mean * Deviation / d)), raw));

    /// <summary>Raw latents of what is denoised.</summary>
    public Tensor Raw(Tensor scaled) => (scaled * Column(Deviations.Select(d => d / Deviation), scaled))
        .Plus(Column(Means.Zip(Deviations, (mean, d) => mean - (Mean * d / Deviation)), scaled));

    private static Tensor Column(IEnumerable<double> values, Tensor like)
        => tensor([.. values.Select(value => (float)value)], like.dtype, like.device).view(1, -1, 1, 1);
}
