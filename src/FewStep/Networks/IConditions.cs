namespace FewStep.Networks;

/// <summary>What the labels of a model mean to its network. Thread-safe.</summary>
internal interface IConditions
{
    /// <summary>Number of labels; 0 for an unconditional network.</summary>
    int Count { get; }

    /// <summary>Looks labels up.</summary>
    /// <param name="labels">int64 [B], -1 for none; null stands for -1 everywhere.</param>
    /// <param name="batch">B.</param>
    /// <param name="device">Where the network computes.</param>
    /// <param name="type">Type that the network computes in.</param>
    /// <returns>Tensors that belong to the current dispose scope, or are those that were given.</returns>
    NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type);
}

/// <summary>Conditions of a network whose prompts nothing here turns into what it is told: it can be looked at and not
/// evaluated.</summary>
/// <param name="obstacle">Why, in one sentence.</param>
internal sealed class NoConditions(string obstacle) : IConditions
{
    public int Count => 0;

    public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type) => throw new InvalidInputException(obstacle);
}

/// <summary>Labels that are the network's own classes.</summary>
internal sealed class ClassConditions(int classes) : IConditions
{
    public int Count => classes;

    public NetworkCondition Of(Tensor? labels, long batch, Device device, ScalarType type)
        => new() { Classes = classes > 0 ? labels : null };
}
