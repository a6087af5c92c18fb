namespace FewStep.Networks;

/// <summary>What the layers need during one evaluation of a network.</summary>
/// <param name="Master">Views of the weights by parameter index, in float32; the same array where that is the compute type.</param>
internal sealed record ForwardPass(Tensor[] Parameters, Tensor[] Master, Generator? Dropout)
{
    public Tensor this[int index] => Parameters[index];

    /// <summary>Multiplications, each with its addition, of the convolutions, linear layers and attention so far.</summary>
    public long MultiplyAdds { get; private set; }

    /// <summary>Where somebody wants them: the last activations of each level on the way down and of the middle; the evaluation then ends
    /// there.</summary>
    public SortedDictionary<int, Tensor>? Encoded { get; init; }

    public IEnumerable<Tensor> Views => ReferenceEquals(Parameters, Master) ? Master : Parameters.Concat(Master);

    /// <summary>Features of which training drops some; themselves where it does not.</summary>
    /// <param name="rate">Probability of each to be dropped.</param>
    public Tensor Dropped(Tensor x, double rate)
    {
        if (Dropout is not { } generator || rate <= 0)
            return x;

        // The library's dropout draws from a generator that the whole process shares.
        using var probability = TensorArithmetic.Number(rate);
        var kept = DeviceRandom.Uniform(x.shape, generator, x.device).ge(probability).to(x.dtype);
        return (x * kept).Times(1 / (1 - rate));
    }

    internal Tensor Counted(Tensor output, long each)
    {
        MultiplyAdds += output.numel() * each;
        return output;
    }

    /// <summary>Views of a flat weight buffer for one evaluation; they belong to the current dispose scope.</summary>
    /// <param name="weights">Flat float32 weights.</param>
    public static ForwardPass Over(ParameterLayout layout, Tensor weights, ScalarType computeType, Generator? dropout = null)
    {
        var master = layout.Views(weights);
        return new(computeType == weights.dtype ? master : layout.Views(weights.to(computeType)), master, dropout);
    }
}
