using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>M paths of the teacher over L levels, or a batch of them.</summary>
/// <param name="States">The states at s_0 to s_L, L+1 tensors [M,C,H,W]; s_L is 0 where the schedule's terminal rule is zero.</param>
/// <param name="Sigma">s_i of each path [M,L], float32.</param>
/// <param name="Ratio">r_i = s_(i+1) / s_i [M,L], float32.</param>
/// <param name="Weight">Weight of each level in the loss [M,L], float32.</param>
/// <param name="Labels">int64 [M]; null for a model without classes.</param>
internal sealed record TeacherBlock(Tensor[] States, Tensor Sigma, Tensor Ratio, Tensor Weight, Tensor? Labels) : IDisposable
{
    /// <summary>Number of levels L: steps of the student.</summary>
    public int Levels => States.Length - 1;

    private IEnumerable<Tensor> All => Labels is null ? [.. States, Sigma, Ratio, Weight] : [.. States, Sigma, Ratio, Weight, Labels];

    /// <summary>Joins batches; the result belongs to the current dispose scope.</summary>
    public static TeacherBlock Join(IReadOnlyList<TeacherBlock> batches) => new(
        [.. Enumerable.Range(0, batches[0].States.Length).Select(i => cat([.. batches.Select(b => b.States[i])]))],
        cat([.. batches.Select(b => b.Sigma)]),
        cat([.. batches.Select(b => b.Ratio)]),
        cat([.. batches.Select(b => b.Weight)]),
        batches[0].Labels is null ? null : cat([.. batches.Select(b => b.Labels!)]));

    /// <summary>Some of the paths; they belong to the current dispose scope.</summary>
    public TeacherBlock Rows(long[] rows)
    {
        using var scope = NewDisposeScope();
        var index = HostCopy.To(tensor(rows), Sigma.device);
        Tensor Pick(Tensor t) => t.index_select(0, index).MoveToOuterDisposeScope();
        return new([.. States.Select(Pick)], Pick(Sigma), Pick(Ratio), Pick(Weight), Labels is null ? null : Pick(Labels));
    }

    /// <summary>Successive paths, as views that belong to the current dispose scope.</summary>
    public TeacherBlock Part(long first, long count)
    {
        Tensor Cut(Tensor t) => t.narrow(0, first, count);
        return new([.. States.Select(Cut)], Cut(Sigma), Cut(Ratio), Cut(Weight), Labels is null ? null : Cut(Labels));
    }

    /// <summary>Takes the tensors out of every dispose scope; from then on <see cref="Dispose"/> frees them.</summary>
    public TeacherBlock Keep()
    {
        foreach (var tensor in All)
        {
            tensor.DetachFromDisposeScope();
        }

        return this;
    }

    public void Dispose()
    {
        foreach (var tensor in All)
        {
            tensor.Dispose();
        }
    }
}
