using FewStep.Checkpoints;
using FewStep.Networks;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Networks;

public sealed class TransformerGradientTests
{
    public static TheoryData<string> Models
        => ["dit-tiny", "sd35-tiny", "flux-tiny", Path.Combine("edm2-tiny", "edm2-tiny-cond.pkl")];

    [Theory]
    [MemberData(nameof(Models))]
    public void The_slope_in_the_weights_is_the_change_of_the_output(string name)
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(At(name));
        var network = source.Denoiser.Network;
        manual_seed(5);
        Tensor x = randn(2, source.Config.Network.InChannels, 8, 8), times = tensor(new[] { 0.7f, 0.2f });
        Tensor direction = randn(source.Denoiser.Layout.Count);
        NetworkCondition condition = new()
        {
            Classes = tensor(new long[] { 1, -1 }),
            Context = randn(2, 5, 40),
            Pooled = randn(2, 24),
            GuidanceScale = ones(2),
        };
        Tensor Sum(Tensor weights) => network.Forward(
            ForwardPass.Over(network.Layout, weights, float32), x, times, condition).sum();
        Tensor leaf = source.Denoiser.Weights.detach().clone().requires_grad_();
        Sum(leaf).backward();
        Tensor gradient = leaf.grad!;
        Assert.All(network.Layout.Specs.Where(spec => !ChangesNothing(spec.Name)),
            spec => Assert.True(gradient.narrow(0, spec.Offset, spec.Count).abs().max().item<float>() > 0, spec.Name));
        using var noGradient = no_grad();
        const double step = 1e-4;
        double slope = (gradient * direction).sum().Number();
        double change = ((Sum(source.Denoiser.Weights + (direction * step)) - Sum(source.Denoiser.Weights - (direction * step)))
            / (2 * step)).Number();
        Assert.InRange(change / slope, 0.97, 1.03);
    }

    // Softmax does not see what is added to all keys; the last block of SD3 asks nothing for the text.
    private static bool ChangesNothing(string name)
        => name.EndsWith("k.bias", StringComparison.Ordinal) || name.EndsWith("k_proj.bias", StringComparison.Ordinal)
            || name.StartsWith("transformer_blocks.1.attn.add_q", StringComparison.Ordinal)
            || name.StartsWith("transformer_blocks.1.attn.norm_added_q", StringComparison.Ordinal);
}
