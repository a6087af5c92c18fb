using TorchSharp;

namespace FewStep.Networks;

/// <summary>A batch in shares of neighbouring images, which threads of the processor evaluate side by side.</summary>
/// <param name="x">Noised images [B,C,H,W]; not owned, like the others.</param>
/// <param name="sigma">Noise levels [B] or [1].</param>
/// <param name="condition">What the network is told beside them, [B, ...]; null for nothing.</param>
internal sealed class BatchShares(Tensor x, Tensor sigma, NetworkCondition? condition, ScalarType computeType)
{
    private const int FewestImages = 4;

    // Measured while 1x1 convolutions of fewer float32 images went to slower kernels on one thread; since PointwiseConvolution they do not,
    // and fewer images were not measured again.
    private const int FewestImagesInFloat32 = 16;

    // Each share has a gradient of its own: a gigabyte of them in all, as float32.
    private const long MostGradientNumbers = 1 << 28;

    /// <summary>As many as there are tensor threads; one where there is a GPU, or too few images for more.</summary>
    public int Count { get; } = x.device_type == DeviceType.CPU ? (int)Math.Clamp(
        x.shape[0] / (computeType == ScalarType.Float32 ? FewestImagesInFloat32 : FewestImages), 1, TorchLibrary.ThreadsInUse()) : 1;

    /// <summary>Whether there is memory for a gradient of each share.</summary>
    public bool HasRoomForGradients(long weights) => Count * weights <= MostGradientNumbers;

    /// <summary>Evaluates all shares, without a gradient where they are several.</summary>
    /// <param name="denoise">Denoises images at noise levels under a condition; its tensors belong to the dispose scope that it is called
    /// in.</param>
    /// <returns>[B,C,H,W]; belongs to the current dispose scope.</returns>
    public Tensor Evaluate(Func<Tensor, Tensor, NetworkCondition?, Tensor> denoise)
    {
        if (Count == 1)
            return denoise(x, sigma, condition);
        var parts = new Tensor[Count];
        ShareThreads.Run(Count, i =>
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            parts[i] = Denoise(i, denoise).DetachFromDisposeScope();
        });
        return Joined(parts);
    }

    /// <summary>Evaluates all shares with a gradient in the weights, and in the images where they have one.</summary>
    /// <returns>[B,C,H,W]; belongs to the current dispose scope.</returns>
    public Tensor Evaluate(Tensor weights, Func<Tensor, Tensor, Tensor, NetworkCondition?, Tensor> denoise)
        => Differentiable.apply(weights, x, this, denoise);

    private Tensor Denoise(int share, Func<Tensor, Tensor, NetworkCondition?, Tensor> denoise) => Denoise(share, Part(x, share), denoise);

    private Tensor Denoise(int share, Tensor images, Func<Tensor, Tensor, NetworkCondition?, Tensor> denoise)
        => denoise(images, sigma.shape[0] == 1 ? sigma : Part(sigma, share), condition?.Each(t => Part(t, share)));

    private Tensor Part(Tensor all, int share)
    {
        long first = all.shape[0] * share / Count, next = all.shape[0] * (share + 1) / Count;
        return all.narrow(0, first, next - first);
    }

    private static Tensor Joined(Tensor[] parts)
    {
        var all = cat(parts);
        foreach (var part in parts)
            part.Dispose();
        return all;
    }

    // Each share has weights, and so a graph, of its own; their gradients are summed in the shares' order.
    private sealed class Differentiable : autograd.SingleTensorFunction<Differentiable>
    {
        public override string Name => nameof(BatchShares);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var (weights, x, shares) = ((Tensor)vars[0], (Tensor)vars[1], (BatchShares)vars[2]);
            var denoise = (Func<Tensor, Tensor, Tensor, NetworkCondition?, Tensor>)vars[3];
            bool alsoImages = x.requires_grad;
            var graphs = new Graph[shares.Count];
            var parts = new Tensor[shares.Count];
            ShareThreads.Run(shares.Count, i =>
            {
                using var gradient = enable_grad();
                using var scope = NewDisposeScope();
                var leaf = weights.detach().requires_grad_();
                var images = shares.Part(x, i).detach().requires_grad_(alsoImages);
                var output = shares.Denoise(i, images, (own, levels, told) => denoise(leaf, own, levels, told));
                Tensor[] leaves = alsoImages ? [leaf, images] : [leaf];
                foreach (var tensor in leaves)
                    tensor.DetachFromDisposeScope();
                (graphs[i], parts[i]) = (new(leaves, output.DetachFromDisposeScope()), output.detach().DetachFromDisposeScope());
            });
            ctx.save_data("shares", shares);
            ctx.save_data("graphs", graphs);
            return Joined(parts);
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            var (shares, graphs) = ((BatchShares)ctx.get_data("shares"), (Graph[])ctx.get_data("graphs"));
            var gradients = new IList<Tensor>[shares.Count];
            ShareThreads.Run(shares.Count, i =>
            {
                using var scope = NewDisposeScope();
                gradients[i] = autograd.grad([graphs[i].Output], graphs[i].Leaves, [shares.Part(grad_output, i)]);
                foreach (var gradient in gradients[i])
                    gradient.DetachFromDisposeScope();
                graphs[i].Output.Dispose();
                foreach (var leaf in graphs[i].Leaves)
                    leaf.Dispose();
            });
            for (int i = 1; i < gradients.Length; i++)
            {
                gradients[0][0].Plus_(gradients[i][0]);
                gradients[i][0].Dispose();
            }

            grad_output.Dispose();
            return [gradients[0][0], gradients[0].Count == 1 ? null! : Joined([.. gradients.Select(g => g[1])]), null!, null!];
        }
    }

    // Leaves: the weights, and the images where they have a gradient.
    private readonly record struct Graph(Tensor[] Leaves, Tensor Output);
}
