namespace FewStep.Networks;

/// <summary>One parameter of a network: where it lies in the flat buffer, and how it begins.</summary>
internal sealed record ParameterSpec(string Name, long[] Shape, long Offset, WeightInit Init)
{
    public long Count { get; } = Shape.Aggregate(1L, (a, b) => a * b);

    /// <summary>Of which layers a LoRA it is adapted with; none where it never is.</summary>
    public LoraLayers Adapted { get; init; }
}

/// <summary>Names, shapes and places of a network's parameters in one flat buffer, which makes the optimiser step, EMA, clipping and
/// checkpoints one call each.</summary>
internal sealed class ParameterLayout
{
    private readonly List<ParameterSpec> _specs = [];
    private readonly HashSet<string> _names = [];

    public IReadOnlyList<ParameterSpec> Specs => _specs;
    public long Count { get; private set; }

    /// <summary>The matrices and convolutions of layers: the layers' names, and their places in <see cref="Specs"/>.</summary>
    public IEnumerable<(string Layer, int Index)> Adapted(LoraLayers layers)
        => _specs.Index().Where(s => (s.Item.Adapted & layers) != 0).Select(s => (s.Item.Name[..s.Item.Name.LastIndexOf('.')], s.Index));

    public int Add(string name, WeightInit init, long[] shape, LoraLayers adapted = LoraLayers.None)
    {
        if (!_names.Add(name))
            throw new ArgumentException($"Two parameters are named {name}.", nameof(name));
        var spec = new ParameterSpec(name, shape, Count, init) { Adapted = adapted };
        _specs.Add(spec);
        Count += spec.Count;
        return _specs.Count - 1;
    }

    /// <returns>float32 [<see cref="Count"/>]; the caller owns it.</returns>
    public Tensor Initialize(long seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var parts = _specs.Select(s => s.Init.Create(s.Shape, generator).view(-1)).ToList();
        return cat(parts, 0).MoveToOuterDisposeScope();
    }

    /// <summary>Views of a flat buffer in the parameters' PyTorch shapes; differentiable, at the cost of one split.</summary>
    /// <returns>One view a parameter; they belong to the current dispose scope.</returns>
    public Tensor[] Views(Tensor flat)
    {
        var pieces = flat.split([.. _specs.Select(s => s.Count)], 0);
        return [.. pieces.Select((piece, i) => piece.view(_specs[i].Shape))];
    }

    /// <summary>The parameters as leaves on the memory of a flat buffer, whose gradients are added to a flat buffer of gradients.</summary>
    /// <returns>One leaf a parameter; they belong to the current dispose scope.</returns>
    public Tensor[] Leaves(Tensor flat, Tensor gradient)
    {
        var values = flat.detach();
        return [.. _specs.Select(spec =>
        {
            var leaf = Of(values, spec).requires_grad_();
            leaf.grad = Of(gradient, spec);
            return leaf;
        })];

        static Tensor Of(Tensor whole, ParameterSpec spec) => whole.narrow(0, spec.Offset, spec.Count).view(spec.Shape);
    }

    /// <summary>Joins named tensors of PyTorch shapes into a flat buffer, one at a time: the buffer is all the memory that this
    /// needs.</summary>
    /// <param name="find">Gives a parameter's tensor of the parameter's shape; what it makes in the current dispose scope is freed before
    /// the next call.</param>
    /// <returns>float32 [<see cref="Count"/>]; the caller owns it.</returns>
    public Tensor Flatten(Func<ParameterSpec, Tensor> find)
    {
        Tensor flat = empty([Count], dtype: ScalarType.Float32);
        foreach (var spec in _specs)
        {
            using var scope = NewDisposeScope();
            flat.narrow(0, spec.Offset, spec.Count).view(spec.Shape).copy_(find(spec));
        }

        return flat;
    }
}
