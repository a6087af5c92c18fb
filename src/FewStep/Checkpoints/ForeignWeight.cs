using static TorchSharp.torch;

namespace FewStep.Checkpoints;

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
/// <param name="Name">Its name here.</param>
/// <param name="Shape">Its shape here.</param>
/// <param name="Parts">Names of the tensors there, joined along the first axis in this order.</param>
/// <param name="Form">Arrangement there.</param>
/// <param name="Heads">Attention heads, for the forms that need them.</param>
internal sealed record ForeignWeight(string Name, long[] Shape, IReadOnlyList<string> Parts, WeightForm Form = WeightForm.Same, int Heads = 1)
{
    /// <summary>Whether a tensor has the shape that each part must have; axes of one at the end do not count.</summary>
    public bool Fits(long[] partShape) => Trim(partShape).SequenceEqual(Trim(PartShape));

    /// <summary>Shape of each part, without regard to axes of one at its end.</summary>
    public long[] PartShape => Form == WeightForm.Transposed ? [Shape[1], Shape[0]] : [Shape[0] / Parts.Count, .. Shape[1..]];

    /// <summary>The parameter from its parts.</summary>
    /// <param name="parts">Tensors that fit.</param>
    /// <returns>A tensor of the shape here, in the parts' type; it belongs to the current dispose scope and may be a view of a part.</returns>
    public Tensor FromParts(IReadOnlyList<Tensor> parts)
    {
        Tensor joined = parts.Count == 1 ? parts[0] : cat([.. parts], 0);
        long rest = Shape.Skip(1).Aggregate(1L, (a, b) => a * b), head = Shape[0] / (3 * Heads);
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
    /// <param name="own">The parameter.</param>
    /// <returns>A contiguous tensor of the current dispose scope.</returns>
    public Tensor ToForeign(Tensor own)
    {
        long rest = Shape.Skip(1).Aggregate(1L, (a, b) => a * b), head = Shape[0] / (3 * Heads);
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
        {
            axes--;
        }

        return shape.AsSpan(0, axes);
    }
}
