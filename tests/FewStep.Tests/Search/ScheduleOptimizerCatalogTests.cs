using FewStep.Search;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class ScheduleOptimizerCatalogTests
{
    [Fact]
    public void NamesAreDifferentAndEveryOneIsFound()
    {
        Assert.Equal(ScheduleOptimizerCatalog.Names.Count, ScheduleOptimizerCatalog.Names.Distinct().Count());
        foreach (var entry in ScheduleOptimizerCatalog.All)
        {
            Assert.Equal((entry, null, entry.Name), (ScheduleOptimizerCatalog.Find(entry.Name).Entry,
                ScheduleOptimizerCatalog.Find(entry.Name).Parameter, ScheduleOptimizerCatalog.Find(entry.Name).Text));
            Assert.True(entry.Description.Length > 0 && entry.Source.Length > 0);
            Assert.Equal(entry.Parameter is null, entry.CheckParameter is null);
        }
    }

    [Theory]
    [InlineData("magic", "There is no schedule optimiser 'magic'. Choose one of phase1")]
    [InlineData("gits:x", "must be the coefficient")]
    [InlineData("gits:-1", "must be the coefficient")]
    [InlineData("gits:1.1:dev", "deviation or distance")]
    [InlineData("phase1:9", "a number from -4 to 4")]
    [InlineData("optimal-steps:1.5", "whole number")]
    [InlineData("ays:late", "converged")]
    [InlineData("endpoint:3", "takes nothing after a colon")]
    [InlineData("propagated:patches", "must be pixels")]
    public void WhatIsWrongIsSaid(string text, string fragment) =>
        Assert.Contains(
            fragment, Assert.Throws<InvalidInputException>(() => ScheduleOptimizerCatalog.Find(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void OptimisersAreMadeOfTheirContext()
    {
        using var denoiser = Mixture();
        foreach (string text in (string[])["gits:1.3:distance", "ays:converged", "optimal-steps:50", "endpoint", "propagated",
            "propagated:pixels"])
        {
            var choice = ScheduleOptimizerCatalog.Find(text);
            Assert.Equal(choice.Entry.Name, choice.Create(Context(denoiser)).Name);
            Assert.Equal(text, choice.Text);
        }

        Assert.Contains("needs a loss curve", Assert.Throws<InvalidInputException>(
            () => ScheduleOptimizerCatalog.Find("phase1").Create(Context(denoiser))).Message, StringComparison.Ordinal);
        Assert.Contains("at least 2 images", Assert.Throws<InvalidInputException>(
            () => ScheduleOptimizerCatalog.Find("gits").Create(Context(denoiser, images: 1))).Message, StringComparison.Ordinal);
    }
}
