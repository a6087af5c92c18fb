using FewStep.Collectives;
using TorchSharp;

namespace FewStep.Tuning;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, 1711.05101) on one flat parameter buffer, or on
/// the slice of it that is this rank's.</summary>
/// <param name="parameters">Flat float32 parameters; changed in place by <see cref="Step"/>, not owned.</param>
/// <param name="ranks">Whose slices the buffer is made of; null for a whole one.</param>
internal sealed class AdamW(Tensor parameters, AdamWOptions options, ICollective? ranks = null) : IDisposable
{
    private readonly ICollective _ranks = ranks ?? SingleProcess.Instance;

    public Tensor FirstMoment { get; } = zeros_like(parameters).DetachFromDisposeScope();
    public Tensor SecondMoment { get; } = zeros_like(parameters).DetachFromDisposeScope();
    public long Updates { get; set; }

    /// <summary>Makes one update, after scaling the gradient down to <see cref="AdamWOptions.ClipNorm"/>.</summary>
    /// <returns>The whole gradient's norm before clipping, a float32 scalar where the parameters lie: reading it would wait for a GPU. It
    /// belongs to the current dispose scope.</returns>
    public Tensor Step(Tensor gradient, double learningRate)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        gradient.nan_to_num_(0, 0, 0);
        var norm = _ranks.Norm(gradient);
        if (double.IsFinite(options.ClipNorm))
        {
            gradient.mul_(
                norm.to(ScalarType.Float64).reciprocal().Times_(options.ClipNorm).clamp_max_(TensorArithmetic.One).to(ScalarType.Float32));
        }

        Updates++;
        FirstMoment.lerp_(gradient, 1 - options.Beta1);
        double correction1 = 1 - Math.Pow(options.Beta1, Updates), correction2 = 1 - Math.Pow(options.Beta2, Updates);
        using Scalar share = TensorArithmetic.Number(1 - options.Beta2), rate = TensorArithmetic.Number(-learningRate / correction1);
        SecondMoment.Times_(options.Beta2).addcmul_(gradient, gradient, share);
        if (options.WeightDecay > 0)
            parameters.Times_(1 - learningRate * options.WeightDecay);
        var denominator = SecondMoment.sqrt().Over_(Math.Sqrt(correction2)).Plus_(options.Epsilon);
        parameters.addcdiv_(FirstMoment, denominator, rate);
        return norm.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        FirstMoment.Dispose();
        SecondMoment.Dispose();
    }
}

/// <summary>Constants of <see cref="AdamW"/>.</summary>
public sealed record AdamWOptions
{
    /// <summary>Decay of the first moment, default 0.9.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment, default 0.99.</summary>
    public double Beta2 { get; init; } = 0.99;

    /// <summary>Added to the denominator, default 1e-8.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled weight decay, default 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Largest norm of the gradient; default 1.</summary>
    public double ClipNorm { get; init; } = 1;
}
