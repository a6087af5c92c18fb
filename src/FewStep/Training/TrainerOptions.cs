using FewStep.Runtime;

namespace FewStep.Training;

/// <summary>How a model is pre-trained.</summary>
public sealed record TrainerOptions
{
    /// <summary>Training images seen in all, repeats included.</summary>
    public required long Images { get; init; }

    /// <summary>Images an update, default 128.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Peak learning rate, default 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Images of the learning rate's warm-up, default 50,000.</summary>
    public long WarmUpImages { get; init; } = 50_000;

    /// <summary>Half-life of the weights' moving average in images, default 100,000.</summary>
    public double EmaHalfLifeImages { get; init; } = 100_000;

    /// <summary>Probability of dropping a label, so that the model learns the unconditional denoiser too; default 0.1.</summary>
    public double LabelDropout { get; init; } = 0.1;

    /// <summary>The loss.</summary>
    public EdmLoss Loss { get; init; } = new();

    /// <summary>Constants of the optimiser.</summary>
    public AdamWOptions AdamW { get; init; } = new();

    /// <summary>Seed of data order, sigma, noise and dropout.</summary>
    public long Seed { get; init; }

    /// <summary>Checks the options, all at once.</summary>
    /// <exception cref="InvalidInputException">Something is out of range.</exception>
    public void Validate()
    {
        var wrong = new List<string>();
        if (Images < 1)
        {
            wrong.Add($"images {Images} is not positive");
        }

        if (Batch is < 1 or > 65536)
        {
            wrong.Add($"batch {Batch} is not in 1..65536");
        }

        if (!(LearningRate > 0) || !double.IsFinite(LearningRate))
        {
            wrong.Add($"learning rate {LearningRate} is not positive");
        }

        if (LabelDropout is not (>= 0 and <= 1))
        {
            wrong.Add($"label dropout {LabelDropout} is not in [0, 1]");
        }

        if (wrong.Count > 0)
        {
            throw new InvalidInputException($"The training options are invalid: {string.Join("; ", wrong)}.");
        }
    }
}
