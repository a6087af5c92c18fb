using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Fills networks from tensors in anybody's names, completely and with nothing left over.</summary>
internal static class ForeignWeights
{
    /// <summary>Builds a denoiser. Besides the given tensors it needs the memory of one set of float32 weights.</summary>
    /// <returns>The denoiser; the caller owns it.</returns>
    public static NetworkDenoiser Build(
        ModelConfig config, Network network, IReadOnlyList<ForeignWeight> map, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        try
        {
            var preconditioning = config.Preconditioning.Build(); // first, for it may refuse
            var flat = Flatten(network.Layout, network.Buffers, map, tensors, source);
            return new NetworkDenoiser(network, preconditioning, config.Shape, config.Classes, flat, config.PatchSize)
            { KnowsNoClass = config.Network.KnowsNoClass };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The weights of a network whose parameters have the names of the file's tensors.</summary>
    /// <returns>float32, flat; the caller owns it.</returns>
    public static Tensor Flatten(ParameterLayout layout, IReadOnlyDictionary<string, Tensor> tensors, string source) =>
        Flatten(layout, new Dictionary<string, Tensor>(), ByOwnNames(layout), tensors, source);

    /// <summary>Brings tensors under the names of a network's parameters into their shapes, in place and one at a time: matrices of float16
    /// and bfloat16 stay as they are, all else becomes float32.</summary>
    public static void Fit(ParameterLayout layout, TensorsByName tensors, string source)
    {
        using var noGradient = no_grad();
        var map = ByOwnNames(layout);
        Check(map, tensors, source);
        foreach (ForeignWeight weight in map)
        {
            using var scope = NewDisposeScope();
            Tensor given = tensors[weight.Name];
            bool stays = weight.Shape.Length > 1 && given.dtype is ScalarType.Float16 or ScalarType.BFloat16;
            Tensor values = weight.FromParts([given]);
            tensors[weight.Name] = Finite(weight, stays ? values : values.to(ScalarType.Float32), source).DetachFromDisposeScope();
            given.Dispose();
        }
    }

    /// <summary>Fills a layout's flat buffer, and those of the network's untrained tensors that the map has.</summary>
    /// <returns>The weights, float32; the caller owns them.</returns>
    public static Tensor Flatten(ParameterLayout layout, IReadOnlyDictionary<string, Tensor> buffers, IReadOnlyList<ForeignWeight> map,
        IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        using var noGradient = no_grad();
        Check(map, tensors, source);
        var byName = map.ToDictionary(weight => weight.Name, StringComparer.Ordinal);
        foreach (var (name, buffer) in buffers)
        {
            if (byName.TryGetValue(name, out ForeignWeight? weight))
            {
                using var scope = NewDisposeScope();
                buffer.copy_(Find(weight, tensors, source));
            }
        }

        return layout.Flatten(spec => Find(byName[spec.Name], tensors, source));
    }

    private static ForeignWeight[] ByOwnNames(ParameterLayout layout)
        => [.. layout.Specs.Select(spec => new ForeignWeight(spec.Name, spec.Shape, [spec.Name]))];

    // All shapes first: a few numbers in a file must not make memory for a network that it does not hold.
    private static void Check(IReadOnlyList<ForeignWeight> map, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        var known = map.SelectMany(weight => weight.Parts).ToHashSet(StringComparer.Ordinal);
        if (tensors.Keys.FirstOrDefault(name => !known.Contains(name)) is string unknown)
            throw new InvalidInputException($"{source} holds {Printable.Text(unknown)}, which its architecture does not have.");
        foreach (ForeignWeight weight in map)
        {
            foreach (string part in weight.Parts)
            {
                Tensor tensor = tensors.GetValueOrDefault(part)
                    ?? throw new InvalidInputException($"{source} lacks {Printable.Text(part)}, which its architecture has.");
                if (!weight.Fits(tensor.shape))
                {
                    throw new InvalidInputException($"{source}: {Printable.Text(part)} has shape [{string.Join(',', tensor.shape)}], its "
                        + $"architecture needs [{string.Join(',', weight.PartShape)}].");
                }
            }
        }
    }

    private static Tensor Find(ForeignWeight weight, IReadOnlyDictionary<string, Tensor> tensors, string source)
        => Finite(weight, weight.FromParts([.. weight.Parts.Select(part => tensors[part])]).to(ScalarType.Float32), source);

    private static Tensor Finite(ForeignWeight weight, Tensor values, string source) => values.isfinite().all().item<bool>()
        ? values
        : throw new InvalidInputException(
            $"{source}: {Printable.Text(weight.Parts[0])} holds values that are not finite (NaN or infinity).");
}

/// <summary>How another code base arranges the numbers of a parameter.</summary>
internal enum WeightForm
{
    /// <summary>In the same order, possibly with other axes of one.</summary>
    Same,

    /// <summary>A matrix with rows and columns exchanged.</summary>
    Transposed,

    /// <summary>A matrix whose left and right halves of columns are exchanged.</summary>
    HalvesExchanged,

    /// <summary>Query, key and value of attention: [heads, 3, channels of a head], guided-diffusion's older order.</summary>
    HeadsFirst,

    /// <summary>Query, key and value of attention: [3, heads, channels of a head].</summary>
    PartsFirst,
}

/// <summary>A parameter, and the tensors of another code base that hold it.</summary>
internal sealed record ForeignWeight(
    string Name, long[] Shape, IReadOnlyList<string> Parts, WeightForm Form = WeightForm.Same, int Heads = 1)
{
    /// <summary>Whether a tensor has the shape that each part must have; axes of one at the end do not count.</summary>
    public bool Fits(long[] partShape) => Trim(partShape).SequenceEqual(Trim(PartShape));

    /// <summary>Shape of each part, without regard to axes of one at its end.</summary>
    public long[] PartShape => Form == WeightForm.Transposed ? [Shape[1], Shape[0]]
        : Parts.Count == 1 ? Shape : [Shape[0] / Parts.Count, .. Shape[1..]];

    // Rows of a head's query, and numbers of a row.
    private (long Rows, long Numbers) Head
        => (Shape.FirstOrDefault(1) / (3 * Heads), Shape.Skip(1).Aggregate(1L, (a, b) => a * b));

    /// <returns>A tensor of the shape here, in the parts' type and the current dispose scope, perhaps a view of a part.</returns>
    public Tensor FromParts(IReadOnlyList<Tensor> parts)
    {
        Tensor joined = parts.Count == 1 ? parts[0] : cat([.. parts], 0);
        var (head, rest) = Head;
        return Form switch
        {
            WeightForm.Transposed => joined.t().reshape(Shape),
            WeightForm.HalvesExchanged => Exchanged(joined).reshape(Shape),
            WeightForm.HeadsFirst => joined.reshape(Heads, 3, head, rest).permute(0, 2, 1, 3).reshape(Shape),
            WeightForm.PartsFirst => joined.reshape(3, Heads, head, rest).permute(1, 2, 0, 3).reshape(Shape),
            _ => joined.reshape(Shape),
        };
    }

    /// <summary>The arrangement there, all parts joined: the inverse of <see cref="FromParts"/>.</summary>
    /// <returns>A contiguous tensor of the current dispose scope.</returns>
    public Tensor ToForeign(Tensor own)
    {
        var (head, rest) = Head;
        return Form switch
        {
            WeightForm.Transposed => own.t().contiguous(),
            WeightForm.HalvesExchanged => Exchanged(own).contiguous(),
            WeightForm.HeadsFirst => own.reshape(Heads, head, 3, rest).permute(0, 2, 1, 3).reshape(Shape).contiguous(),
            WeightForm.PartsFirst => own.reshape(Heads, head, 3, rest).permute(2, 0, 1, 3).reshape(Shape).contiguous(),
            _ => own.contiguous(),
        };
    }

    private static Tensor Exchanged(Tensor matrix)
    {
        Tensor[] halves = matrix.chunk(2, 1);
        return cat([halves[1], halves[0]], 1);
    }

    // A convolution of one pixel is a matrix, whatever the number of its axes.
    private static ReadOnlySpan<long> Trim(long[] shape)
    {
        int axes = shape.Length;
        while (axes > 2 && shape[axes - 1] == 1)
            axes--;
        return shape.AsSpan(0, axes);
    }
}
