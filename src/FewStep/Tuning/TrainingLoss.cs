using FewStep.Collectives;
using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>A denoising training loss: E of weight(s) |D(x0 + s n; s) - x0|^2 / dimension. Members differ in how sigma is drawn and
/// weighted.</summary>
[JsonDerivedType(typeof(EdmLoss), "edm")]
[JsonDerivedType(typeof(VpLoss), "vp")]
[JsonDerivedType(typeof(VeLoss), "ve")]
internal abstract record TrainingLoss
{
    /// <summary>The weighted denoising loss of one batch.</summary>
    /// <param name="images">Clean images [B,C,H,W], float32.</param>
    /// <param name="labels">int64 [B] or null.</param>
    /// <param name="part">Of a batch that ranks divide, the part that the images are; null for all of it.</param>
    /// <returns>Scalar float32, of a part what it adds to the loss; it belongs to the current dispose scope.</returns>
    public Tensor Compute(
        NetworkDenoiser denoiser, Tensor weights, Tensor images, Tensor? labels, Generator generator, BatchPart? part = null)
    {
        // Drawn on the processor, so that every device is given the same, and for the whole batch, so that parts change nothing; it is
        // ahead of a GPU anyway.
        var own = part ?? BatchPart.All((int)images.shape[0]);
        var sigma = HostCopy.To(own.Of(DrawSigma(own.Batch, generator)), images.device);
        var noise = HostCopy.To(own.Of(randn([own.Batch, .. images.shape[1..]], generator: generator)), images.device);
        var weight = Weight(sigma);
        var noised = images.Plus(noise * sigma.view(-1, 1, 1, 1));
        using var masks = own.Count == own.Batch ? null : new Generator((ulong)SeedHash.Derive(generator.initial_seed(), own.First));
        var error = denoiser.Denoise(weights, noised, sigma, labels, masks ?? generator) - images;
        return (error.Squared().mean([1, 2, 3]) * weight).mean().Times(own.Share);
    }

    /// <summary>Draws the noise levels of a batch.</summary>
    /// <returns>Tensor [B], float32, above 0, on the processor; it belongs to the current dispose scope.</returns>
    public abstract Tensor DrawSigma(long batch, Generator generator);

    /// <param name="sigma">Tensor [B], float32.</param>
    /// <returns>Tensor [B]; it belongs to the current dispose scope.</returns>
    public abstract Tensor Weight(Tensor sigma);
}

/// <summary>EDM's training loss (2206.00364, table 1): log-normal sigma, weight (s^2 + s_data^2) / (s s_data)^2.</summary>
internal sealed record EdmLoss(double MeanLogSigma = -1.2, double StandardDeviationLogSigma = 1.2, double SigmaData = 0.5) : TrainingLoss
{
    public override Tensor DrawSigma(long batch, Generator generator)
        => randn([batch], generator: generator).Times(StandardDeviationLogSigma).Plus(MeanLogSigma).exp();

    public override Tensor Weight(Tensor sigma)
    {
        double sd2 = SigmaData * SigmaData;
        return (sigma * sigma).Plus(sd2) / (sigma * sigma).Times(sd2);
    }
}

/// <summary>The training loss of variance-preserving models (Song et al. 2011.13456; EDM, 2206.00364, table 1, column VP): uniform time,
/// weight 1 / s^2, which is the mean square of the noise's error.</summary>
internal sealed record VpLoss(double BetaD = 19.9, double BetaMin = 0.1, double SmallestTime = 1e-5) : TrainingLoss
{
    public override Tensor DrawSigma(long batch, Generator generator)
    {
        // In float64: sigma^2 = exp(v) - 1 with v down to 1e-6.
        var t = rand([batch], dtype: ScalarType.Float64, generator: generator).Times(1 - SmallestTime).Plus(SmallestTime);
        return new LinearVpNoise(BetaMin, BetaD).Sigmas(t).to(ScalarType.Float32);
    }

    public override Tensor Weight(Tensor sigma) => sigma.Squared().reciprocal();
}

/// <summary>The training loss of variance-exploding models (Song et al. 2011.13456; EDM, 2206.00364, table 1, column VE): log-uniform
/// sigma, weight 1 / s^2.</summary>
internal sealed record VeLoss(double SigmaMin = 0.02, double SigmaMax = 100) : TrainingLoss
{
    public override Tensor DrawSigma(long batch, Generator generator)
        => rand([batch], generator: generator).Times(Math.Log(SigmaMax / SigmaMin)).exp().Times(SigmaMin);

    public override Tensor Weight(Tensor sigma) => sigma.Squared().reciprocal();
}
