namespace FewStep.Networks;

/// <summary>The ADM architecture of Dhariwal and Nichol (2105.05233) as NVlabs/edm writes it, with the same parameter names.</summary>
internal sealed class DhariwalUNet : UNet
{
    public DhariwalUNet(DhariwalUNetOptions options)
        : base(options.Checked())
    {
        int embedding = options.ModelChannels * options.ChannelMultEmb;
        var init = new WeightInit(WeightInitMode.KaimingUniform, Math.Sqrt(1.0 / 3));
        var block = new UNetBlockOptions
        {
            EmbeddingChannels = embedding,
            NormGroups = options.NormGroups,
            MiddleAttentionGroups = options.MiddleAttentionGroups,
            AdaptiveScale = options.ScaleShift ?? true,
            Dropout = options.Dropout,
            Init = init,
            InitZero = WeightInit.Zeros,
        };
        var noise = new PositionalEmbedding(options.ModelChannels, endpoint: false);
        LayAugmentation(options.AugmentDim, options.ModelChannels, WeightInit.Zeros);
        var layer0 = new Linear(Builder.At("map_layer0"), options.ModelChannels, embedding, init);
        var layer1 = new Linear(Builder.At("map_layer1"), embedding, embedding, init);
        var labelInit = new WeightInit(WeightInitMode.KaimingNormal, Math.Sqrt(options.LabelDim));
        var label = options.LabelDim > 0 ? new Linear(Builder.At("map_label"), options.LabelDim, embedding, labelInit, bias: false) : null;
        Lay(
            new UNetEmbedding(noise, layer0, layer1) { Label = label },
            (place, at) => place.Role == UNetRole.Input ? new Conv2d(at, place.InChannels, place.OutChannels, 3, init)
                : new UNetBlock(at, place, block),
            () =>
            {
                int last = Plan[^1].OutChannels;
                var norm = new GroupNorm(Builder.At("out_norm"), last, groups: options.NormGroups);
                return new(norm, new Conv2d(Builder.At("out_conv"), last, options.OutChannels, 3, WeightInit.Zeros));
            });
    }
}
