using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>The half of an autoencoder that decodes: <c>latent_sample</c>, unscaled, to <c>sample</c>, at any size.</summary>
internal sealed class DecoderPart(Autoencoder autoencoder)
    : PipelineNetwork("vae_decoder", autoencoder.Network.Layout, autoencoder.Weights)
{
    private const string Latents = "latent_sample", Images = "sample";
    private const int TriedSide = 8;

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
        => [(Latents, Noise(1, Tried, autoencoder.Options.LatentChannels, TriedSide, TriedSide))];

    public override void Write(OnnxGraph graph)
    {
        var options = autoencoder.Options;
        string latents = graph.Input(Latents, Batch, options.LatentChannels, $"latent_{Height}", $"latent_{Width}");
        var images = new AutoencoderWriter(graph.Nodes, autoencoder).Decode(new(latents, options.LatentChannels));
        graph.Output(Images, images.Name, Batch, options.OutChannels, InvariantText.Of($"latent_{Height} * {options.Factor}"),
            InvariantText.Of($"latent_{Width} * {options.Factor}"));
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
        => [(Images, autoencoder.Network.Decode(pass, NetworkDenoiser.ChannelsLast(given[Latents])))];
}

/// <summary>The half that encodes: <c>sample</c> to <c>latent_sample</c>, the mean of the latents, unscaled.</summary>
internal sealed class EncoderPart(Autoencoder autoencoder)
    : PipelineNetwork("vae_encoder", autoencoder.Network.Layout, autoencoder.Weights)
{
    private const string Latents = "latent_sample", Images = "sample";
    private const int TriedSide = 8;

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
    {
        long side = TriedSide * autoencoder.Options.Factor;
        return [(Images, Noise(1, Tried, autoencoder.Options.InChannels, side, side))];
    }

    public override void Write(OnnxGraph graph)
    {
        var options = autoencoder.Options;
        string images = graph.Input(Images, Batch, options.InChannels, $"sample_{Height}", $"sample_{Width}");
        var latents = new AutoencoderWriter(graph.Nodes, autoencoder).Encode(new(images, options.InChannels));
        graph.Output(Latents, latents.Name, Batch, options.LatentChannels, InvariantText.Of($"sample_{Height} / {options.Factor}"),
            InvariantText.Of($"sample_{Width} / {options.Factor}"));
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
        => [(Latents, autoencoder.Network.Encode(pass, NetworkDenoiser.ChannelsLast(given[Images])).Mean)];
}

/// <summary>Writes the autoencoder of latents.</summary>
internal sealed class AutoencoderWriter(OnnxNodes nodes, Autoencoder autoencoder)
    : DiffusersWriter(nodes, autoencoder.Network.Layout, autoencoder.Weights)
{
    public Features Decode(Features latents)
    {
        latents = autoencoder.Network.PostQuantConvolution is { } first ? Convolution(first, latents) : latents;
        return Coded(autoencoder.Network.Decoder, latents);
    }

    /// <summary>The mean of images' latents.</summary>
    public Features Encode(Features images)
    {
        var moments = Coded(autoencoder.Network.Encoder, images);
        moments = autoencoder.Network.QuantConvolution is { } last ? Convolution(last, moments) : moments;
        return moments with { Name = Nodes.Split(moments.Name, 2, axis: 1)[0], Channels = moments.Channels / 2 };
    }

    private Features Coded(LatentCoder coder, Features x)
    {
        x = Convolution(coder.Input, x);
        x = coder.MiddleIsFirst ? Middle(coder.Middle, x) : x;
        foreach (var stage in coder.Stages)
        {
            foreach (var block in stage.Blocks)
                x = Block(block, x);
            x = stage.Down is not null ? Strided(stage.Down, x) : stage.Up is not null ? Convolution(stage.Up, x) : x;
        }

        x = coder.MiddleIsFirst ? x : Middle(coder.Middle, x);
        return Convolution(coder.Output, Silu(Normalised(coder.Norm, x)));
    }

    private Features Middle(LatentCoderMiddle middle, Features x)
    {
        x = Block(middle.First, x);
        if (middle.Attention is { } pixels)
        {
            string tokens = OfMap(Normalised(pixels.Norm, x));
            x = Sum(x, Map(Attended(pixels.Attention, tokens, tokens), x));
        }

        return Block(middle.Second, x);
    }
}
