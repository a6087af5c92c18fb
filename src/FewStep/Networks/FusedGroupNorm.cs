using TorchSharp;

namespace FewStep.Networks;

/// <summary>Group normalisation with the shift before it and the SiLU after it as one differentiable operation on channels-last features in
/// the processor's memory.</summary>
/// <remarks>libtorch's own is several times slower in this layout, while its convolutions are fastest in it.</remarks>
internal sealed class FusedGroupNorm : autograd.SingleTensorFunction<FusedGroupNorm>
{
    [ThreadStatic]
    private static List<Tensor>? _returned;

    public override string Name => nameof(FusedGroupNorm);

    /// <summary>Whether the operation can take these features: channels-last, in the processor's memory, float32 or bfloat16, the channels
    /// a multiple of 16.</summary>
    /// <param name="x">[B,C,H,W].</param>
    public static bool Takes(Tensor x)
    {
        if (x.device_type != DeviceType.CPU || x.dtype is not (ScalarType.Float32 or ScalarType.BFloat16)
            || x.shape[1] % GroupNormShape.Lanes != 0)
        {
            return false;
        }

        using var pixels = x.permute(0, 2, 3, 1);
        return pixels.is_contiguous();
    }

    /// <summary>f(gamma (x + shift - mean) / deviation + beta).</summary>
    /// <param name="gamma">float32 [C].</param>
    /// <param name="beta">float32 [C].</param>
    /// <param name="shift">float32 [B,C], or null.</param>
    /// <returns>Channels-last, of the shape and type of <paramref name="x"/>; belongs to the current dispose scope.</returns>
    public static Tensor Apply(Tensor x, Tensor gamma, Tensor beta, Tensor? shift, long groups, double epsilon, bool silu)
    {
        var shape = new GroupNormShape((int)x.shape[0], (int)(x.shape[2] * x.shape[3]), (int)x.shape[1], (int)groups, (float)epsilon, silu);
        if (is_grad_enabled() && (x.requires_grad || gamma.requires_grad || shift is { requires_grad: true }))
            return apply(x, gamma, beta, shift!, shape);
        using var moments = empty([shape.Batch, groups, 2], ScalarType.Float32);
        return Evaluate(shape, x, gamma, beta, shift, moments);
    }

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (x, gamma, beta, shift) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Tensor?)vars[3]);
        var shape = (GroupNormShape)vars[4];
        var moments = empty([shape.Batch, shape.Groups, 2], ScalarType.Float32);
        ctx.save_data("shape", shape);
        ctx.save_for_backward([x, gamma, beta, moments, shift!]);
        return Evaluate(shape, x, gamma, beta, shift, moments);
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        // The engine has its own references to the gradients of the last call; keeping ours until the step ends would hold all of them at
        // once.
        _returned?.ForEach(t => t?.Dispose());
        var shape = (GroupNormShape)ctx.get_data("shape");
        var saved = ctx.get_saved_variables();
        var (x, gamma, beta, moments, shift) = (saved[0], saved[1], saved[2], saved[3], (Tensor?)saved[4]);
        var dx = EmptyChannelsLast(x);
        var partial = empty([shape.Batch, 2, shape.Channels], ScalarType.Float32);
        var dshift = shift is null ? null : empty_like(shift);
        using (var pixels = grad_output.permute(0, 2, 3, 1))
        using (var dy = pixels.contiguous())
        {
            unsafe
            {
                nint px = Address(x), pdy = AddressOfContiguous(dy), pdx = Address(dx), pg = Address(
                    gamma), pb = Address(beta), pm = Address(moments), pp = Address(partial), ps = Address(shift), pds = Address(dshift);
                bool half = x.dtype == ScalarType.BFloat16;
                nint image = shape.ImageLength * (half ? 2 : 4);
                delegate*<in GroupNormShape, void*, float*, float*, float*, float*, void*, void*, float*, float*, void> kernel = half
                    ? &GroupNormKernel<BFloat16Features>.Backward : &GroupNormKernel<Float32Features>.Backward;
                EachImage(shape, b =>
                {
                    float* s = ps == 0 ? null : (float*)ps + ((nint)b * shape.Channels), ds = pds == 0 ? null
                        : (float*)pds + ((nint)b * shape.Channels);
                    float* m = (float*)pm + ((nint)b * shape.Groups * 2), p = (float*)pp + ((nint)b * shape.Channels * 2);
                    nint at = b * image;
                    kernel(shape, (void*)(px + at), (float*)pg, (float*)pb, s, m, (void*)(pdy + at), (void*)(pdx + at), p, ds);
                });
            }
        }

        using var total = partial.sum(dim: 0);
        partial.Dispose();
        grad_output.Dispose();
        saved.ForEach(t => t?.Dispose());
        _returned = [dx, total[0], total[1], dshift!, null!];
        return _returned;
    }

    private static unsafe Tensor Evaluate(GroupNormShape shape, Tensor x, Tensor gamma, Tensor beta, Tensor? shift, Tensor moments)
    {
        var y = EmptyChannelsLast(x);
        nint px = Address(x), py = Address(y), pg = Address(gamma), pb = Address(beta), pm = Address(moments), ps = Address(shift);
        bool half = x.dtype == ScalarType.BFloat16;
        nint image = shape.ImageLength * (half ? 2 : 4);
        delegate*<in GroupNormShape, void*, float*, float*, float*, void*, float*, void> kernel = half
            ? &GroupNormKernel<BFloat16Features>.Forward : &GroupNormKernel<Float32Features>.Forward;
        EachImage(shape, b =>
        {
            float* s = ps == 0 ? null : (float*)ps + ((nint)b * shape.Channels), m = (float*)pm + ((nint)b * shape.Groups * 2);
            kernel(shape, (void*)(px + (b * image)), (float*)pg, (float*)pb, s, (void*)(py + (b * image)), m);
        });
        return y;
    }

    private static void EachImage(GroupNormShape shape, Action<int> body)
    {
        int threads = get_num_threads();
        if (threads == 1 || shape.Batch == 1)
        {
            for (int b = 0; b < shape.Batch; b++)
                body(b);
        }
        else
        {
            Parallel.For(0, shape.Batch, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
        }
    }

    private static Tensor EmptyChannelsLast(Tensor like)
    {
        using var pixels = empty([like.shape[0], like.shape[2], like.shape[3], like.shape[1]], like.dtype);
        return pixels.permute(0, 3, 1, 2);
    }

    private static nint Address(Tensor? tensor)
    {
        if (tensor is null)
            return 0;
        if (tensor.dim() < 4)
            return AddressOfContiguous(tensor);
        using var pixels = tensor.permute(0, 2, 3, 1);
        return AddressOfContiguous(pixels);
    }

    // libtorch's memory does not move.
    private static unsafe nint AddressOfContiguous(Tensor tensor)
    {
        fixed (byte* first = tensor.bytes)
        {
            return (nint)first;
        }
    }
}
