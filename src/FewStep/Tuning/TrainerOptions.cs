namespace FewStep.Tuning;

/// <summary>How a model is pre-trained.</summary>
internal sealed record TrainerOptions
{
    /// <summary>Training images seen in all, repeats included.</summary>
    public required long Images { get; init; }

    public int Batch { get; init; } = 128;
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Images of the learning rate's warm-up, default 50,000.</summary>
    public long WarmUpImages { get; init; } = 50_000;

    /// <summary>Half-life of the weights' moving average in images, default 100,000.</summary>
    public double EmaHalfLifeImages { get; init; } = 100_000;

    /// <summary>Probability of dropping a label, so that the model learns the unconditional denoiser too; default 0.1.</summary>
    public double LabelDropout { get; init; } = 0.1;

    public TrainingLoss Loss { get; init; } = new EdmLoss();
    public AdamWOptions AdamW { get; init; } = new();

    /// <summary>Seed of data order, sigma, noise and dropout.</summary>
    public long Seed { get; init; }

    public void Validate() =>
        new OptionRules("The training options are invalid")
            .Require(Images >= 1, $"images {Images} is not positive")
            .Require(Batch is >= 1 and <= 65536, $"batch {Batch} is not in 1..65536")
            .Require(LearningRate is > 0 and <= 1e30, $"learning rate {LearningRate} does not lie above 0 and up to 1E+30")
            .Require(WarmUpImages >= 0, $"warm-up {WarmUpImages} is negative")
            .Require(EmaHalfLifeImages > 0, $"half-life of the average {EmaHalfLifeImages} is not positive")
            .Require(LabelDropout is >= 0 and <= 1, $"label dropout {LabelDropout} is not in [0, 1]")
            .Check();
}
