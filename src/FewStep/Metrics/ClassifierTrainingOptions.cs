namespace FewStep.Metrics;

/// <summary>How a <see cref="FeatureClassifier"/> is trained. The defaults suit 28x28 to 32x32 images on a few CPU cores.</summary>
internal sealed record ClassifierTrainingOptions
{
    /// <summary>Passes over the training images, 1 to 1,000. Default 8.</summary>
    public int Epochs { get; init; } = 8;

    /// <summary>Images an update, 2 to 8,192. Default 128.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Peak learning rate of AdamW (Loshchilov and Hutter 2019): reached linearly over the first twentieth of the updates, then
    /// lowered to 0 along a half cosine. Default 0.003.</summary>
    public double LearningRate { get; init; } = 3e-3;

    /// <summary>Decoupled weight decay, 0 to 1. Default 0.05.</summary>
    public double WeightDecay { get; init; } = 0.05;

    /// <summary>Largest shift in pixels along each axis, 0 to 8, drawn uniformly; border pixels repeat. Default 2.</summary>
    public int Shift { get; init; } = 2;

    /// <summary>Whether half of the images, at random, are mirrored left to right. Default true.</summary>
    public bool Mirror { get; init; } = true;

    /// <summary>Seed of weights, order and augmentation, 0 or more. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>Whether convolutions run in bfloat16 while training, which is faster; weights stay float32. Default true.</summary>
    public bool Bfloat16 { get; init; } = true;

    public void Check()
    {
        new OptionRules("The classifier cannot be trained so")
            .Require(Epochs is >= 1 and <= 1000, $"epochs {Epochs} must be 1 to 1000")
            .Require(Batch is >= 2 and <= 8192, $"batch {Batch} must be 2 to 8192")
            .Require(LearningRate is > 0 and <= 1, $"learning_rate {LearningRate} must be above 0 and at most 1")
            .Require(WeightDecay is >= 0 and <= 1, $"weight_decay {WeightDecay} must be 0 to 1")
            .Require(Shift is >= 0 and <= 8, $"shift {Shift} must be 0 to 8 pixels")
            .Require(Seed >= 0, $"seed {Seed} must be 0 or more")
            .Check();
    }
}

/// <summary>How the weights of a classifier were made.</summary>
internal sealed record ClassifierTrainingRecord(
    ClassifierTrainingOptions Options, string TrainingSetHash, string TestSetHash, long Updates, double TestAccuracy);
