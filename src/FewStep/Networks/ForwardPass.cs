namespace FewStep.Networks;

/// <summary>What the layers need during one evaluation of a network.</summary>
/// <param name="Master">Views of the weights by parameter index, in float32; the same array where that is the compute type. Matrices of
/// text encoders may be narrower: they are widened where they are used.</param>
internal sealed record ForwardPass(Tensor[] Parameters, Tensor[] Master, Generator? Dropout)
{
    public Tensor this[int index] => Parameters[index];

    /// <summary>Multiplications, each with its addition, of the convolutions, linear layers and attention so far.</summary>
    public long MultiplyAdds { get; private set; }

    /// <summary>Where somebody wants them: the last activations of each level on the way down and of the middle; the evaluation then ends
    /// there.</summary>
    public SortedDictionary<int, Tensor>? Encoded { get; init; }

    /// <summary>What is added to parameters, by their index; null for nothing. Where there is something, it alone is trained.</summary>
    public IReadOnlyDictionary<int, LowRankUpdate>? Updates { get; init; }

    /// <summary>Whether blocks are evaluated again in the backward pass, in place of keeping what it needs.</summary>
    public bool RecomputesBlocks { get; init; }

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

    /// <summary>A linear layer in the compute type, with what is added to its matrix: x [..., in] → [..., out].</summary>
    /// <param name="weight">Index of a matrix [out, in] or a convolution [out, in, 1, 1].</param>
    public Tensor Projected(Tensor x, int weight, int? bias)
    {
        var y = Counted(nn.functional.linear(x, this[weight].flatten(1), bias is int b ? this[b] : null), x.shape[^1]);
        return Update(weight)?.AddTo(y, x) ?? y;
    }

    /// <summary>A linear layer in float32, with what is added to its matrix: x [B, in] → [B, out].</summary>
    public Tensor Embedded(Tensor x, int weight, int? bias)
    {
        var held = Master[weight];
        using var widened = held.dtype == ScalarType.Float32 ? null : held.to(ScalarType.Float32);
        var y = Counted(nn.functional.linear(x, widened ?? held, bias is int b ? Master[b] : null), x.shape[^1]);
        return Update(weight)?.AddTo(y, x) ?? y;
    }

    /// <summary>A convolution in the compute type, with what is added to it: x [B, in, H, W] → [B, out, H', W'].</summary>
    public Tensor Convolved(Tensor x, int weight, int bias, long stride = 1, long padding = 0)
    {
        long[] shape = this[weight].shape;
        var y = Counted(ChannelPaddedConvolution.Apply(x, this[weight], this[bias], stride, padding), shape[1] * shape[2] * shape[3]);
        return Update(weight)?.AddTo(y, x, stride, padding) ?? y;
    }

    /// <summary>Evaluates a part of the network that may be evaluated again in the backward pass.</summary>
    /// <inheritdoc cref="RecomputedBlock.Evaluate"/>
    public Tensor[] Block(Range parameters, Func<ForwardPass, Tensor[], Tensor[]> evaluate, params Tensor[] inputs)
        => RecomputesBlocks && is_grad_enabled() ? RecomputedBlock.Evaluate(this, parameters, evaluate, inputs) : evaluate(this, inputs);

    /// <summary>With each tensor replaced that is trained of some parameters, always in the same order.</summary>
    public ForwardPass EachTrained(Range parameters, Func<Tensor, Tensor> replaced)
    {
        var (first, count) = parameters.GetOffsetAndLength(Parameters.Length);
        bool Has(int index) => index >= first && index < first + count;
        Tensor[] Of(Tensor[] all) => [.. all.Select((tensor, index) => Has(index) ? replaced(tensor) : tensor)];
        if (Updates is not null)
            return this with { Updates = Updates.ToDictionary(u => u.Key, u => Has(u.Key) ? u.Value.Each(replaced) : u.Value) };
        var master = Of(Master);
        return this with { Master = master, Parameters = ReferenceEquals(Parameters, Master) ? master : Of(Parameters) };
    }

    private LowRankUpdate? Update(int weight) => Updates?.GetValueOrDefault(weight);

    internal Tensor Counted(Tensor output, long each)
    {
        MultiplyAdds += output.numel() * each;
        return output;
    }

    /// <summary>Views of a flat weight buffer for one evaluation; they belong to the current dispose scope.</summary>
    /// <param name="weights">Flat float32 weights. Where they are a leaf that has a gradient already, a backward pass adds to that
    /// parameter by parameter: the gradients of a split would all be in memory at once, several times over.</param>
    public static ForwardPass Over(ParameterLayout layout, Tensor weights, ScalarType computeType, Generator? dropout = null)
    {
        if (is_grad_enabled() && weights.requires_grad && weights.is_leaf && weights.grad is { } gradient)
        {
            var leaves = layout.Leaves(weights, gradient);
            return new(computeType == weights.dtype ? leaves : [.. leaves.Select(leaf => leaf.to(computeType))], leaves, dropout);
        }

        var master = layout.Views(weights);
        return new(computeType == weights.dtype ? master : layout.Views(weights.to(computeType)), master, dropout);
    }
}
