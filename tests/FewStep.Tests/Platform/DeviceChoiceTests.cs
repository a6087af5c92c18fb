using TorchSharp;

namespace FewStep.Tests.Platform;

public sealed class DeviceChoiceTests
{
    [Theory]
    [InlineData("auto", 0, "CPU", -1)]
    [InlineData("auto", 2, "CUDA", 0)]
    [InlineData("cpu", 0, "CPU", -1)]
    [InlineData("cpu", 2, "CPU", -1)]
    [InlineData("cuda", 1, "CUDA", 0)]
    [InlineData("cuda:0", 1, "CUDA", 0)]
    [InlineData("cuda:1", 2, "CUDA", 1)]
    public void A_choice_is_read_and_found_among_what_there_is(string text, int devices, string type, int index)
    {
        var choice = DeviceChoice.Parse(text);
        var device = choice.Resolve(new CudaState(devices, devices > 0 ? null : "there is none"));
        Assert.Equal((text, type, index), (choice.ToString(), device.type.ToString(), device.index));
        Assert.Equal(text.StartsWith("cuda", StringComparison.Ordinal), choice.DemandsCuda);
    }

    [Theory]
    [InlineData("cuda", 0, "The device cuda cannot be used: why.")]
    [InlineData("cuda:3", 0, "The device cuda:3 cannot be used: why.")]
    [InlineData("cuda:1", 1, "The device cuda:1 cannot be used: the GPUs here are cuda:0 alone.")]
    [InlineData("cuda:9", 4, "The device cuda:9 cannot be used: the GPUs here are cuda:0 to cuda:3.")]
    public void A_gpu_that_is_not_there_is_refused_in_one_line(string text, int devices, string line)
        => Assert.Equal(
            line, Assert.Throws<InvalidInputException>(() => DeviceChoice.Parse(text).Resolve(new CudaState(devices, "why"))).Message);

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("CUDA")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:256")]
    [InlineData("cuda:1:2")]
    public void Anything_else_is_refused(string text)
        => Assert.Contains("none of auto, cpu, cuda and cuda:N",
            Assert.Throws<InvalidInputException>(() => DeviceChoice.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_here_decides()
    {
        var state = CudaState.Now();
        Assert.Equal(state.Devices == 0, state.Problem is not null);
        Assert.Equal(state.Devices > 0 ? DeviceType.CUDA : DeviceType.CPU, DeviceChoice.Auto.Resolve().type);
        if (!TorchLibrary.HasCuda)
        {
            string line = Assert.Throws<InvalidInputException>(() => DeviceChoice.Parse("cuda").Resolve()).Message;
            Assert.Contains("TorchDevice=cuda", line, StringComparison.Ordinal);
            Assert.Contains(TorchFolder.Variable, line, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', line);
        }

        Assert.Equal("cpu", DeviceChoice.Describe(torch.CPU));
    }
}
